#include "core/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/limits.h"

namespace armazem {
namespace {

using testing::HasSubstr;

Key key(std::string text) { return Key::parse(std::move(text)).value(); }

void expect_refused(std::string text, std::string_view reason) {
  const auto parsed = Key::parse(std::move(text));
  ASSERT_FALSE(parsed.has_value()) << reason;
  EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(parsed.error().message, HasSubstr(reason));
  EXPECT_FALSE(parsed.error().retryable());
}

TEST(Key, KeepsEveryOrdinaryTextByteForByte) {
  for (const std::string text : {"a", " ", "/", "//", "a//b", ".", "..", "../x", "%2F", "health", "a b", "\x01", "\x7f",
                                 "\r\n", "é", "日本", "😀", "\xEF\xBB\xBF", "e\xCC\x81"}) {
    const auto parsed = Key::parse(text);
    ASSERT_TRUE(parsed.has_value()) << testing::PrintToString(text);
    EXPECT_EQ(parsed->text(), text);
  }
}

TEST(Key, EmptyIsRefused) { expect_refused("", "empty"); }

TEST(Key, LengthIsBoundedInBytes) {
  EXPECT_EQ(key(std::string(limits::key_bytes_max, 'k')).text().size(), limits::key_bytes_max);
  expect_refused(std::string(limits::key_bytes_max + 1, 'k'), "1025 bytes; at most 1024");
}

TEST(Key, LengthCountsBytesNotCharacters) {
  std::string text;
  while (text.size() < limits::key_bytes_max) text += "é";
  EXPECT_TRUE(Key::parse(text).has_value());
  expect_refused(text + "é", "1026 bytes");
}

TEST(Key, NulIsRefusedAnywhere) {
  for (const std::size_t position : {0U, 1U, 2U}) {
    std::string text = "abc";
    text[position] = '\0';
    expect_refused(text, "NUL");
  }
}

TEST(Key, WhatIsNoUtf8IsRefused) {
  for (const char* text : {"\xFF", "a\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "abc\xE2\x82"}) {
    expect_refused(text, "UTF-8");
  }
}

TEST(Key, ACharacterCutAtTheBoundIsRefused) {
  expect_refused(std::string(limits::key_bytes_max - 1, 'k') + "\xC3", "UTF-8");
}

// UTF-16 code units would put U+1F600 (a surrogate pair) before U+FFFD; signed bytes would put 'é' before 'a'.
TEST(Key, OrderIsThatOfTheBytes) {
  const std::vector<Key> ascending = {key("\x01"), key("/"),      key("A"),      key("a"),       key("a/"),
                                      key("aa"),   key("b"),      key("\x7f"),   key("\u0080"),  key("é"),
                                      key("\u07FF"), key("\u0800"), key("\uFFFD"), key("\U0001F600"), key("\U0010FFFF")};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << ascending[i].text() << " and " << ascending[j].text();
      EXPECT_EQ(ascending[i] == ascending[j], i == j);
    }
  }
}

// Composed and decomposed forms look alike; they are two keys, because nothing normalises what a client wrote.
TEST(Key, FormsThatLookAlikeAreDifferentKeys) { EXPECT_NE(key("é"), key("e\xCC\x81")); }

}  // namespace
}  // namespace armazem
