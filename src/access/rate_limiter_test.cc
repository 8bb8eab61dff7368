// Token buckets: rate, burst, how long to wait, and the bound of the table.
#include "access/rate_limiter.h"

#include <gtest/gtest.h>

#include <cstring>

namespace armazem {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

RateLimiter::Subject subject(std::uint64_t number) {
  RateLimiter::Subject bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  bytes.back() = 1;  // none is all zero
  return bytes;
}

class RateLimiterTest : public testing::Test {
 protected:
  int taken(RateLimiter& limiter, int tries, std::uint64_t who = 1) {
    int got = 0;
    for (int i = 0; i < tries; ++i) got += limiter.take(subject(who), now_) ? 0 : 1;
    return got;
  }
  MonotonicTime now_ = MonotonicTime(1'000'000s);
};

TEST_F(RateLimiterTest, ABurstThenTheRate) {
  RateLimiter limiter(Rate::per(1s, 10, 5));
  EXPECT_EQ(taken(limiter, 20), 5);
  EXPECT_EQ(limiter.take(subject(1), now_), nanoseconds(100ms)) << "one token takes a tenth of a second";
  now_ += 99ms;
  EXPECT_EQ(taken(limiter, 1), 0);
  now_ += 1ms;
  EXPECT_EQ(taken(limiter, 2), 1);
  now_ += 1s;
  EXPECT_EQ(taken(limiter, 20), 5) << "never more than the burst";
}

TEST_F(RateLimiterTest, OverALongTimeItIsTheRate) {
  RateLimiter limiter(Rate::per(1s, 10, 5));
  int got = 0;
  for (int i = 0; i < 10'000; ++i) {
    now_ += 7ms;
    got += taken(limiter, 1);
  }
  EXPECT_NEAR(got, 700, 6);
}

TEST_F(RateLimiterTest, EachForItself) {
  RateLimiter limiter(Rate::per(1min, 1, 1));
  EXPECT_EQ(taken(limiter, 3, 1), 1);
  EXPECT_EQ(taken(limiter, 3, 2), 1);
}

TEST_F(RateLimiterTest, NoLimit) {
  RateLimiter limiter(Rate{});
  EXPECT_EQ(taken(limiter, 1'000), 1'000);
}

TEST_F(RateLimiterTest, ManySubjectsMakeNobodyWait) {
  RateLimiter limiter(Rate::per(1min, 1, 1));
  for (std::uint64_t who = 0; who < 3 * RateLimiter::subjects_max; ++who) {
    ASSERT_EQ(limiter.take(subject(who), now_), std::nullopt) << who << " was refused for what others did";
  }
}

TEST_F(RateLimiterTest, WhoIsFarOverIsNotTheFirstToBeForgotten) {
  RateLimiter limiter(Rate::per(1s, 1, 60));
  EXPECT_EQ(taken(limiter, 100, 1), 60);
  for (std::uint64_t who = 2; who < RateLimiter::subjects_max / 4; ++who) taken(limiter, 1, who);
  EXPECT_EQ(taken(limiter, 1, 1), 0);
}

}  // namespace
}  // namespace armazem
