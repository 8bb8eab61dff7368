#include "cli/bench_values.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace armazem::cli {
namespace {

using namespace std::chrono_literals;

TEST(BenchValues, Durations) {
  EXPECT_EQ(*parse_duration("250ms"), 250ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  for (const char* text : {"", "s", "30", "-1s", "1.5s", "30 s", "1d", "99999999999999999999s", "9999999h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(BenchValues, Sizes) {
  EXPECT_EQ(*parse_bytes("0"), 0U);
  EXPECT_EQ(*parse_bytes("16KiB"), 16384U);
  EXPECT_EQ(*parse_bytes("64MiB"), limits::value_bytes_max);
  for (const char* text : {"", "KiB", "1kb", "65MiB", "-1", "1.5KiB"}) EXPECT_FALSE(parse_bytes(text)) << text;

  EXPECT_EQ(parse_value_sizes("100")->bytes_max, 100U);
  EXPECT_EQ(parse_value_sizes("10-4KiB")->bytes_max, 4096U);
  EXPECT_EQ(parse_value_sizes("zipf:1-10")->pattern, SizePattern::zipf);
  for (const char* text : {"", "10-", "-10", "10-5", "zipf:10", "zipf:", "a-b"})
    EXPECT_FALSE(parse_value_sizes(text)) << text;
}

TEST(BenchValues, Mixes) {
  EXPECT_EQ(*parse_mix("put=50,get=45,delete=5"), (std::array<unsigned, 3>{50, 45, 5}));
  EXPECT_EQ(*parse_mix("get=1"), (std::array<unsigned, 3>{0, 1, 0}));
  for (const char* text :
       {"", "get", "get=", "get=0", "get=1,get=1", "post=1", "get=1,", "get=-1", "get=1.5", "GET=1", "get=99999999"}) {
    EXPECT_FALSE(parse_mix(text)) << text;
  }
}

TEST(BenchValues, KeyPatterns) {
  KeyOptions others;
  others.count = 77;
  EXPECT_EQ(parse_key_pattern("latest", others)->pattern, KeyPattern::latest);
  EXPECT_EQ(parse_key_pattern("zipf:1.2", others)->exponent, 1.2);
  EXPECT_EQ(parse_key_pattern("zipf", others)->count, 77U);
  for (const char* text : {"", "random", "zipf:", "zipf:0", "zipf:-1", "zipf:11", "zipf:1x", "uniform:1"}) {
    EXPECT_FALSE(parse_key_pattern(text, others)) << text;
  }
}

TEST(BenchValues, WhatMakesNoSenseTogether) {
  const auto check = [](auto change) {
    BenchOptions options;
    change(options);
    const Result<void> sensible = check_bench_options(options);
    return sensible ? "" : sensible.error().message;
  };
  EXPECT_EQ(check([](BenchOptions&) {}), "");
  EXPECT_NE(check([](BenchOptions& o) { o.url = "https://x"; }), "");
  EXPECT_NE(check([](BenchOptions& o) { o.url = "http://x/store"; }), "");
  EXPECT_NE(check([](BenchOptions& o) { o.rate = 1, o.ramp_up = 1s; }), "");
  EXPECT_NE(check([](BenchOptions& o) { o.loops = 1, o.count = 1; }), "");
  EXPECT_NE(check([](BenchOptions& o) { o.keys.prefix = std::string(1024, 'x'); }), "");
  EXPECT_NE(check([](BenchOptions& o) { o.timeout = 0s; }), "");
}

TEST(BenchValues, OnlyWhatHasNoOtherEndLastsTenSeconds) {
  BenchOptions options;
  ASSERT_TRUE(check_bench_options(options));
  EXPECT_EQ(options.duration, 10s);
  options = {};
  options.count = 5;
  ASSERT_TRUE(check_bench_options(options));
  EXPECT_EQ(options.duration, 0s);
}

}  // namespace
}  // namespace armazem::cli
