#include "core/deadline.h"

#include <gtest/gtest.h>

namespace armazem {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr MonotonicTime start{std::chrono::hours(1)};

TEST(Deadline, ExpiresExactlyAtItsTime) {
  const Deadline deadline = Deadline::at(start);
  EXPECT_FALSE(deadline.expired(start - nanoseconds(1)));
  EXPECT_TRUE(deadline.expired(start));
  EXPECT_TRUE(deadline.expired(start + nanoseconds(1)));
}

TEST(Deadline, AfterCountsFromNow) { EXPECT_EQ(Deadline::after(start, milliseconds(5)).time(), start + milliseconds(5)); }

TEST(Deadline, NoTimeAtAllHasExpiredAtOnce) { EXPECT_TRUE(Deadline::after(start, milliseconds(0)).expired(start)); }

TEST(Deadline, RemainingCountsDownAndStopsAtZero) {
  const Deadline deadline = Deadline::after(start, milliseconds(5));
  EXPECT_EQ(deadline.remaining(start), milliseconds(5));
  EXPECT_EQ(deadline.remaining(start + milliseconds(4)), milliseconds(1));
  EXPECT_EQ(deadline.remaining(start + milliseconds(5)), nanoseconds(0));
  EXPECT_EQ(deadline.remaining(start + milliseconds(50)), nanoseconds(0));
}

TEST(Deadline, NoneOutlivesEveryClock) {
  EXPECT_FALSE(Deadline::none().expired(MonotonicTime::max() - nanoseconds(1)));
  EXPECT_GT(Deadline::none().remaining(start), std::chrono::hours(24 * 365 * 100));
}

TEST(Deadline, ASpanTooLongToAddMeansNoBound) {
  EXPECT_EQ(Deadline::after(start, MonotonicClock::duration::max()).time(), Deadline::none().time());
  const auto longest = MonotonicTime::max() - start;
  EXPECT_EQ(Deadline::after(start, longest).time(), MonotonicTime::max());
  EXPECT_EQ(Deadline::after(start, longest - nanoseconds(1)).time(), MonotonicTime::max() - nanoseconds(1));
}

}  // namespace
}  // namespace armazem
