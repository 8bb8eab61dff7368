#include "core/latency_histogram.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace armazem {
namespace {

using namespace std::chrono_literals;

TEST(LatencyHistogram, EmptyIsZero) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(99), 0ns);
  EXPECT_EQ(histogram.max(), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
}

TEST(LatencyHistogram, PercentilesOfKnownDurations) {
  LatencyHistogram histogram;
  for (int ms = 1; ms <= 1000; ++ms) histogram.record(std::chrono::milliseconds(ms));
  const auto near = [&](double percent, double ms) {
    const double got = static_cast<double>(histogram.percentile(percent).count()) / 1e6;
    EXPECT_GE(got, ms) << percent;
    EXPECT_LE(got, ms * 1.008) << percent;
  };
  near(50, 500);
  near(90, 900);
  near(99, 990);
  near(99.9, 999);
  EXPECT_EQ(histogram.percentile(100), 1000ms);
  EXPECT_EQ(histogram.max(), 1000ms);
  EXPECT_EQ(histogram.mean(), 500'500us);
}

// The promise: never below the true value, never more than 1/128 above it, whatever the size.
TEST(LatencyHistogram, RelativeErrorIsBoundedAtEverySize) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(random() >> (22 + random() % 42));
    LatencyHistogram histogram;
    histogram.record(std::chrono::nanoseconds(ns));
    histogram.record(std::chrono::nanoseconds(LatencyHistogram::longest_ns));  // so that the maximum does not cap it
    const std::int64_t got = histogram.percentile(50).count();
    ASSERT_GE(got, ns);
    ASSERT_LE(static_cast<double>(got), static_cast<double>(ns) * (1 + 1.0 / 128));
  }
}

TEST(LatencyHistogram, TooLongAndNegativeAreKeptAtTheEnds) {
  LatencyHistogram histogram;
  histogram.record(24h);
  EXPECT_EQ(histogram.max().count(), static_cast<std::int64_t>(LatencyHistogram::longest_ns));
  histogram.record(-5ms);
  EXPECT_EQ(histogram.percentile(50), 0ns);
}

TEST(LatencyHistogram, AddingEqualsRecordingAll) {
  std::mt19937_64 random(11);
  LatencyHistogram parts[2];
  LatencyHistogram all;
  for (int i = 0; i < 10'000; ++i) {
    const std::chrono::nanoseconds one(random() % 1'000'000'000);
    parts[i % 2].record(one);
    all.record(one);
  }
  parts[0].add(parts[1]);
  parts[0].add(LatencyHistogram());
  EXPECT_EQ(parts[0].count(), all.count());
  EXPECT_EQ(parts[0].mean(), all.mean());
  for (const double percent : {1.0, 50.0, 99.0, 99.99, 100.0})
    EXPECT_EQ(parts[0].percentile(percent), all.percentile(percent));
  all.clear();
  EXPECT_EQ(all.count(), 0U);
  EXPECT_EQ(all.max(), 0ns);
}

}  // namespace
}  // namespace armazem
