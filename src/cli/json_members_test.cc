#include "cli/json_members.h"

#include <gtest/gtest.h>

namespace armazem::cli {
namespace {

// "name=value;" of each member, or the complaint.
std::string split(std::string_view text) {
  const auto members = split_members(text);
  if (!members) return "! " + members.error().message;
  std::string all;
  for (const auto& [name, value] : *members) all.append(name).append("=").append(value).append(";");
  return all;
}

TEST(JsonMembers, StandAsTheyStood) {
  EXPECT_EQ(split(R"({"key":"a","n":1.50e+2,"o":{"x":[1, {"]":"}"}]},"t":true,"z":null})"),
            R"(key="a";n=1.50e+2;o={"x":[1, {"]":"}"}]};t=true;z=null;)");
  EXPECT_EQ(split(" { \"a\" : [ ] , \"b\":\"\" } \r"), "a=[ ];b=\"\";");
  EXPECT_EQ(split("{}"), "");
}

TEST(JsonMembers, StringsMayHoldAnything) {
  EXPECT_EQ(split(R"({"a":"\"},{\\","b":"é😀\u0000"})"), "a=\"\\\"},{\\\\\";b=\"é😀\\u0000\";");
}

TEST(JsonMembers, WhatIsCutOffOrBrokenIsSaid) {
  const std::string whole = R"({"key":"a\\","value":{"b":[1,2]},"n":12})";
  ASSERT_EQ(split(whole).front(), 'k');
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(split(whole.substr(0, size)).front(), '!') << size;
  for (const char* text : {"[]", "\"a\"", "1", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x", "{\"a\":1}{", "{a:1}",
                           "{\"a\":[}]}", "{\"a\":1 2}", "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", "{\"a\":]}", "{\"a\" 1}"}) {
    EXPECT_EQ(split(text).front(), '!') << text;
  }
}

TEST(JsonMembers, Strings) {
  EXPECT_EQ(string_of(R"("a\"\u00e9\n")"), "a\"é\n");
  EXPECT_EQ(string_of("1"), std::nullopt);
  EXPECT_EQ(string_of("\"a"), std::nullopt);
  const auto members = split_members(R"({"a":1,"b":2})");
  EXPECT_EQ(find_member(*members, "b"), "2");
  EXPECT_EQ(find_member(*members, "c"), std::nullopt);
}

}  // namespace
}  // namespace armazem::cli
