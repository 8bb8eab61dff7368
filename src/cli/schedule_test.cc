#include "cli/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace armazem::cli {
namespace {

using namespace std::chrono_literals;

const MonotonicTime begin{std::chrono::hours(1)};

TEST(Schedule, WithARateStartsDoNotDependOnWhenTheyAreTaken) {
  BenchOptions options;
  options.rate = 1000;
  options.duration = 10ms;
  Schedule schedule(options, begin);
  EXPECT_EQ(schedule.take(begin), begin);
  EXPECT_EQ(schedule.take(begin), begin + 1ms);
  // Everybody was busy for 5 ms: what was due meanwhile is handed out with the time when it was due.
  for (int i = 2; i < 10; ++i) EXPECT_EQ(schedule.take(begin + 7ms), begin + i * 1ms);
  EXPECT_EQ(schedule.take(begin + 7ms), std::nullopt);
  EXPECT_EQ(schedule.never_sent(), 0U);
}

TEST(Schedule, WhatWasDueAndNeverTakenIsCounted) {
  BenchOptions options;
  options.rate = 1000;
  options.duration = 10ms;
  Schedule schedule(options, begin);
  EXPECT_TRUE(schedule.take(begin));
  EXPECT_EQ(schedule.take(begin + 10ms), std::nullopt);
  EXPECT_EQ(schedule.never_sent(), 9U);

  options.count = 4;
  Schedule counted(options, begin);
  EXPECT_TRUE(counted.take(begin));
  EXPECT_EQ(counted.never_sent(), 3U);
}

TEST(Schedule, ARateOverLongTimesDoesNotDrift) {
  BenchOptions options;
  options.rate = 3;  // a period that is no whole number of nanoseconds
  options.duration = std::chrono::hours(24 * 7);
  Schedule schedule(options, begin);
  std::optional<MonotonicTime> last;
  for (int i = 0; i <= 900'000; ++i) last = schedule.take(begin);
  EXPECT_EQ(std::chrono::duration_cast<std::chrono::microseconds>(*last - begin), 300'000s);
}

TEST(Schedule, WarmUpCountsForNothing) {
  BenchOptions options;
  options.rate = 1000;
  options.warm_up = 5ms;
  options.count = 3;
  Schedule schedule(options, begin);
  EXPECT_EQ(schedule.measured(), begin + 5ms);
  int measured = 0;
  int all = 0;
  while (const auto start = schedule.take(begin)) {
    ++all;
    if (*start >= schedule.measured()) ++measured;
  }
  EXPECT_EQ(measured, 3);
  EXPECT_EQ(all, 8);

  options.rate = 0;
  Schedule closed(options, begin);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(closed.take(begin + 1ms), begin + 1ms);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(closed.take(begin + 5ms));
  EXPECT_FALSE(closed.take(begin + 5ms));
}

TEST(Schedule, StoppingEndsItAndMovesTheEnd) {
  BenchOptions options;
  options.rate = 1000;
  options.duration = 10s;
  Schedule schedule(options, begin);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(schedule.take(begin + 5ms));
  schedule.stop(begin + 5ms);
  EXPECT_FALSE(schedule.take(begin + 5ms));
  EXPECT_EQ(schedule.never_sent(), 0U);
}

TEST(Schedule, ManyTakersGetEveryStartOnce) {
  BenchOptions options;
  options.rate = 1e6;
  options.count = 40'000;
  Schedule schedule(options, begin);
  std::vector<MonotonicTime> taken[4];
  {
    std::vector<std::jthread> takers;
    for (auto& mine : taken) {
      takers.emplace_back([&] {
        while (const auto start = schedule.take(begin)) mine.push_back(*start);
      });
    }
  }
  std::vector<MonotonicTime> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), 40'000U);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], begin + i * 1us);
}

}  // namespace
}  // namespace armazem::cli
