#include "http/json_text.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace armazem::http {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}
std::string read_back(std::string_view text) { return std::string(boost::json::parse(json_string(text)).as_string()); }
std::string base64(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(json_string(""), "\"\"");
  EXPECT_EQ(json_string("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
  EXPECT_EQ(json_string("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\"");
  EXPECT_EQ(json_string(std::string_view("\0\x1F", 2)), "\"\\u0000\\u001f\"");
  EXPECT_EQ(json_string("é😀"), "\"é😀\"");
}

TEST(JsonString, EveryCharacterIsReadBack) {
  std::string all;
  for (char c = 0; c >= 0 && c < 127; ++c) {
    EXPECT_EQ(read_back({&c, 1}), std::string(1, c)) << int{c};
    all.push_back(c);
  }
  all += "\x7Fé日😀";
  EXPECT_EQ(read_back(all), all);
}

TEST(JsonString, IsAppended) {
  std::string out = "{\"k\":";
  append_json_string(out, "v");
  EXPECT_EQ(out, "{\"k\":\"v\"");
}

// RFC 4648, section 10.
TEST(Base64, KnownVectors) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64(std::string_view("\xFB\xFF\x00", 3)), "+/8A");
}

TEST(Base64, IsAppended) {
  std::string out = "\"";
  append_base64(out, "foo");
  EXPECT_EQ(out, "\"Zm9v");
}

// The largest values are encoded in pieces; padding may only stand at the very end.
TEST(Base64, PiecesAreJoinedWithoutASeam) {
  constexpr std::size_t piece = 3 * (std::size_t{1} << 24);
  const std::string out = base64(std::string(piece, 'x') + "yz");
  EXPECT_EQ(out.size(), piece / 3 * 4 + 4);
  EXPECT_EQ(out.find('='), out.size() - 1);
  EXPECT_EQ(out.substr(out.size() - 8), "eHh4eXo=");
}

}  // namespace
}  // namespace armazem::http
