#include "adapters/redis/redis_options.h"

#include <gtest/gtest.h>

namespace armazem {
namespace {

TEST(RedisUrl, AllOfIt) {
  const auto options = parse_redis_url("rediss://us%40er:p%3Aw%2F@h1:1,h2,[::1]:3/?prefix=a%3A&ca=/etc/ca.pem");
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->user, "us@er");
  EXPECT_EQ(options->password, "p:w/");
  EXPECT_TRUE(options->tls);
  EXPECT_EQ(options->ca_file, "/etc/ca.pem");
  EXPECT_EQ(options->prefix, "a:");
  ASSERT_EQ(options->seeds.size(), 3U);
  EXPECT_EQ(options->seeds[0].text(), "h1:1");
  EXPECT_EQ(options->seeds[1].text(), "h2:6379");
  EXPECT_EQ(options->seeds[2].text(), "[::1]:3");
}

TEST(RedisUrl, TheShortestOne) {
  const auto options = parse_redis_url("redis://h");
  ASSERT_TRUE(options.has_value());
  EXPECT_FALSE(options->tls);
  EXPECT_EQ(options->user, "");
  EXPECT_EQ(options->prefix, "armazem:");
  EXPECT_EQ(parse_redis_url("redis://:pw@h")->password, "pw");
}

TEST(RedisUrl, WhatIsWrongIsSaidWithoutThePassword) {
  for (const char* url :
       {"", "h1", "http://h", "redis://", "redis://user@h", "redis://u:secret@", "redis://u:secret@h:0",
        "redis://u:secret@h,,h2", "redis://u:secret%@h", "redis://u:secret%4@h", "redis://u:secret@h?ca=x",
        "redis://u:secret@h?other=1", "redis://u:secret@h:x", "redis://u:secret@h?prefix=%zz"}) {
    const auto options = parse_redis_url(url);
    ASSERT_FALSE(options.has_value()) << url;
    EXPECT_EQ(options.error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(options.error().message.find("secret"), std::string::npos) << options.error().message;
  }
}

}  // namespace
}  // namespace armazem
