#include "http/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "http/problem.h"

namespace armazem::http {
namespace {

TEST(LatencyHistogram, BoundsBelongToTheBucketBelow) {
  EXPECT_TRUE(std::ranges::is_sorted(latency_bounds));
  for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
    const auto bound_ns = static_cast<std::uint64_t>(latency_bounds[i] * 1e9 + 0.5);
    LatencyHistogram histogram;
    histogram.observe(bound_ns);
    EXPECT_EQ(histogram.bucket(i), 1U) << latency_bounds[i];
    histogram.observe(bound_ns + 1);
    EXPECT_EQ(histogram.bucket(i + 1), 1U) << latency_bounds[i];
    EXPECT_EQ(histogram.bucket(i), 1U);
  }
}

TEST(LatencyHistogram, CountsTheExtremesAndTheSum) {
  LatencyHistogram histogram;
  histogram.observe(0);
  histogram.observe(3'600'000'000'000);
  EXPECT_EQ(histogram.bucket(0), 1U);
  EXPECT_EQ(histogram.bucket(latency_bounds.size()), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum_seconds(), 3600.0);
}

TEST(Statuses, EachHasASlotOfItsOwnAndComesBack) {
  EXPECT_TRUE(std::ranges::is_sorted(known_statuses));
  std::set<std::size_t> slots;
  for (const int status : known_statuses) {
    EXPECT_EQ(status_of_slot(status_slot(status)), status);
    slots.insert(status_slot(status));
  }
  for (const int status : {504, 505}) {
    EXPECT_EQ(status_of_slot(status_slot(status)), status);
    slots.insert(status_slot(status));
  }
  EXPECT_EQ(slots.size(), status_count - 1);
}

TEST(Statuses, OthersShareTheLastSlot) {
  for (const int status : {0, 100, 199, 299, 418, 502, 506, 999, -1}) {
    EXPECT_EQ(status_slot(status), status_count - 1) << status;
  }
  EXPECT_EQ(status_of_slot(status_count - 1), 0);
}

TEST(Statuses, EveryProblemHasItsOwn) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(ProblemType::version_too_far_ahead); ++i) {
    const int status = info(static_cast<ProblemType>(i)).status;
    EXPECT_EQ(status_of_slot(status_slot(status)), status);
  }
}

TEST(Rejections, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < rejection_count; ++i) names.insert(to_string(static_cast<Rejection>(i)));
  EXPECT_EQ(names.size(), rejection_count);
  EXPECT_EQ(to_string(Rejection::malformed), "malformed");
}

TEST(LoopMetrics, CountsByRouteMethodAndStatus) {
  const auto metrics = std::make_unique<LoopMetrics>();
  metrics->count(Route::store_key, Method::get, 200, 60'000);
  metrics->count(Route::store_key, Method::get, 200, 70'000);
  metrics->count(Route::store_key, Method::get, 404, 80'000);
  metrics->count(Route::other, Method::other, 400, 90'000);
  const auto requests = [&](Route route, Method method, int status) {
    return metrics->requests[static_cast<std::size_t>(route)][static_cast<std::size_t>(method)][status_slot(status)]
        .read();
  };
  EXPECT_EQ(requests(Route::store_key, Method::get, 200), 2U);
  EXPECT_EQ(requests(Route::store_key, Method::get, 404), 1U);
  EXPECT_EQ(requests(Route::store_key, Method::put, 200), 0U);
  EXPECT_EQ(requests(Route::other, Method::other, 400), 1U);
  EXPECT_EQ(
      metrics->latency[static_cast<std::size_t>(Route::store_key)][static_cast<std::size_t>(Method::get)].bucket(1),
      3U);
  metrics->reject(Rejection::body_bytes);
  EXPECT_EQ(metrics->rejected[static_cast<std::size_t>(Rejection::body_bytes)].read(), 1U);
}

TEST(Counter, AddsAndSubtracts) {
  Counter counter;
  counter.add();
  counter.add(9);
  counter.subtract(3);
  counter.subtract();
  EXPECT_EQ(counter.read(), 6U);
}

}  // namespace
}  // namespace armazem::http
