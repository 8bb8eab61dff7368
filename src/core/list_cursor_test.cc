// The cursor of a list comes back whole, and nothing else passes for one.
#include "core/list_cursor.h"

#include <gtest/gtest.h>

#include "core/base64.h"
#include "core/limits.h"

namespace armazem {
namespace {

TEST(ListCursor, ComesBack) {
  const std::string longest(limits::key_bytes_max, 'k');
  for (const std::string& key : {std::string("k"), std::string("a/b c"), std::string("olá ☕"), std::string("\xFF\x01"), longest}) {
    for (const std::string& prefix : {std::string(), std::string("a/"), std::string("\xC3"), std::string("\0", 1)}) {
      EXPECT_EQ(decode_list_cursor(prefix, encode_list_cursor(prefix, key)), key);
    }
  }
}

// Written down, because exports keep cursors and servers of several versions read them.
TEST(ListCursor, TheFormatStaysAsItIs) {
  EXPECT_EQ(encode_list_cursor("", "k"), "AXkP3L1r");
  EXPECT_EQ(encode_list_cursor("user/", "user/42"), "AYzUYbF1c2VyLzQy");
}

TEST(ListCursor, NeedsNoEncodingInAQuery) {
  for (int i = 1; i < 256; ++i) {
    const std::string cursor = encode_list_cursor("", std::string(3, static_cast<char>(i)));
    EXPECT_EQ(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), cursor.npos) << cursor;
  }
}

TEST(ListCursor, IsBoundToItsPrefix) {
  const std::string cursor = encode_list_cursor("a", "ab");
  EXPECT_EQ(decode_list_cursor("", cursor), std::nullopt);
  EXPECT_EQ(decode_list_cursor("ab", cursor), std::nullopt);
  EXPECT_EQ(decode_list_cursor("b", cursor), std::nullopt);
}

TEST(ListCursor, NothingElsePasses) {
  const std::string cursor = encode_list_cursor("", "some-key");
  for (std::size_t size = 0; size < cursor.size(); ++size) {
    EXPECT_EQ(decode_list_cursor("", std::string_view(cursor).substr(0, size)), std::nullopt) << size;
  }
  for (std::size_t at = 0; at < cursor.size(); ++at) {
    std::string wrong = cursor;
    wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(decode_list_cursor("", wrong), std::nullopt) << wrong;
  }
  for (const std::string& wrong : {cursor + "A", cursor + "=", "some-key" + std::string(), "\n" + cursor, std::string("*")}) {
    EXPECT_EQ(decode_list_cursor("", wrong), std::nullopt) << wrong;
  }
}

TEST(ListCursor, WhatIsNoKeyIsRefused) {
  EXPECT_EQ(decode_list_cursor("", encode_list_cursor("", "")), std::nullopt);
  EXPECT_EQ(decode_list_cursor("", encode_list_cursor("", std::string("a\0b", 3))), std::nullopt);
  EXPECT_EQ(decode_list_cursor("", encode_list_cursor("", std::string(limits::key_bytes_max + 1, 'k'))), std::nullopt);
}

}  // namespace
}  // namespace armazem
