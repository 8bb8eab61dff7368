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

}  // namespace
}  // namespace armazem::http
