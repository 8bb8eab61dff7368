#include "core/hybrid_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "core/limits.h"

namespace armazem {
namespace {

constexpr std::uint64_t start_ms = 1'767'225'600'000;
constexpr std::uint64_t lead_max_ms = 500;
static_assert(limits::clock_lead_max.count() == lead_max_ms);

class HandClock final : public TimeSource {
 public:
  std::uint64_t wall_ms() const noexcept override { return wall_ms_.load(); }
  MonotonicTime now() const noexcept override { return {}; }
  void set(std::uint64_t ms) { wall_ms_ = ms; }
  void advance(std::uint64_t ms) { wall_ms_ += ms; }

 private:
  std::atomic<std::uint64_t> wall_ms_{start_ms};
};

class HybridClockTest : public testing::Test {
 protected:
  Version stamp() { return clock_.stamp(OpId(1)); }
  static Version seen(std::uint64_t ms, std::uint64_t counter = 0) {
    return Version::make(Tick(ms << Tick::counter_bits | counter), OpId(99));
  }

  HandClock time_;
  HybridClock clock_{time_};
};

TEST_F(HybridClockTest, FollowsTheWallClock) {
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms));
  time_.advance(3);
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms + 3));
}

TEST_F(HybridClockTest, StampsTheGivenOpId) { EXPECT_EQ(clock_.stamp(OpId(77)).op(), OpId(77)); }

TEST_F(HybridClockTest, CountsWithinOneMillisecond) {
  const Tick first = stamp().tick();
  EXPECT_EQ(stamp().tick(), first.next());
  EXPECT_EQ(stamp().tick(), first.next().next());
}

// The op half must not decide: a later stamp is newer even when its op id is smaller.
TEST_F(HybridClockTest, ALaterStampIsNewerWhateverTheOpIds) {
  const Version first = clock_.stamp(OpId(OpId::mask));
  EXPECT_GT(clock_.stamp(OpId(0)), first);
}

TEST_F(HybridClockTest, AFullCounterCarriesIntoTheNextMillisecond) {
  Version last = stamp();
  for (int i = 1; i < 4096; ++i) last = stamp();
  EXPECT_EQ(last.tick().bits() & 0xFFF, 4095U);
  EXPECT_EQ(last.ms(), start_ms);
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms + 1));
  time_.advance(1);
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms + 1).next());
}

TEST_F(HybridClockTest, NeverGoesBackWhenTheWallClockDoes) {
  const Version before = stamp();
  time_.set(start_ms - 3'600'000);
  const Version after = stamp();
  EXPECT_EQ(after.tick(), before.tick().next());
  EXPECT_EQ(clock_.lead_ms(), 3'600'000);
  time_.set(start_ms + 1);
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms + 1));
  EXPECT_EQ(clock_.lead_ms(), 0);
}

TEST_F(HybridClockTest, AStampIsNewerThanEveryVersionObserved) {
  for (const Version& version : {seen(start_ms - 1), seen(start_ms), seen(start_ms, 4095), seen(start_ms + 20, 7)}) {
    ASSERT_TRUE(clock_.observe(version).has_value());
    EXPECT_GT(stamp(), version);
  }
}

TEST_F(HybridClockTest, ObservingMovesNoFurtherThanTheVersionSeen) {
  ASSERT_TRUE(clock_.observe(seen(start_ms + 20, 7)).has_value());
  EXPECT_EQ(stamp().tick(), seen(start_ms + 20, 8).tick());
}

TEST_F(HybridClockTest, ObservingAnOlderVersionChangesNothing) {
  const Version before = stamp();
  ASSERT_TRUE(clock_.observe(seen(start_ms - 1000)).has_value());
  ASSERT_TRUE(clock_.observe(Version()).has_value());
  EXPECT_EQ(stamp().tick(), before.tick().next());
}

TEST_F(HybridClockTest, AVersionExactlyAtTheBoundIsAccepted) {
  const Version version = seen(start_ms + lead_max_ms, 4095);
  ASSERT_TRUE(clock_.observe(version).has_value());
  EXPECT_EQ(clock_.lead_ms(), static_cast<std::int64_t>(lead_max_ms));
  EXPECT_EQ(stamp().tick(), Tick::from_ms(start_ms + lead_max_ms + 1));
}

TEST_F(HybridClockTest, AVersionBeyondTheBoundIsRefusedAndTheClockStays) {
  for (const std::uint64_t ahead : {lead_max_ms + 1, std::uint64_t{86'400'000}, (std::uint64_t{1} << 48) - 1 - start_ms}) {
    const Version before = stamp();
    const auto observed = clock_.observe(seen(start_ms + ahead));
    ASSERT_FALSE(observed.has_value());
    EXPECT_EQ(observed.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(observed.error().message, testing::HasSubstr(std::to_string(ahead) + " ms ahead"));
    EXPECT_EQ(stamp().tick(), before.tick().next());
  }
}

// The bound is against the wall clock, not against the clock's own lead: tokens cannot walk it forward step by step.
TEST_F(HybridClockTest, TheBoundDoesNotCreepForward) {
  ASSERT_TRUE(clock_.observe(seen(start_ms + lead_max_ms)).has_value());
  EXPECT_FALSE(clock_.observe(seen(start_ms + lead_max_ms + 1)).has_value());
  time_.advance(1);
  EXPECT_TRUE(clock_.observe(seen(start_ms + lead_max_ms + 1)).has_value());
}

TEST_F(HybridClockTest, StampAboveIsNewerByOneTickAndKeepsTheOpId) {
  const Version current = Version::make(Tick(start_ms << Tick::counter_bits | 4095), OpId(OpId::mask));
  const Version above = HybridClock::stamp_above(current, OpId(5));
  EXPECT_GT(above, current);
  EXPECT_EQ(above.op(), OpId(5));
  EXPECT_EQ(above.tick(), Tick::from_ms(start_ms + 1));
}

TEST_F(HybridClockTest, StampAboveDoesNotMoveTheClock) {
  const Version before = stamp();
  const Version far = HybridClock::stamp_above(seen(start_ms + 1'000'000), OpId(5));
  EXPECT_EQ(far.ms(), start_ms + 1'000'000);
  EXPECT_EQ(stamp().tick(), before.tick().next());
}

constexpr int threads = 8;

// While another thread moves the wall clock in both directions and versions from outside come in.
TEST_F(HybridClockTest, EightThreadsNeverGetTheSameTickAndEachSeesItGrow) {
  constexpr int stamps_each = 20'000;
  std::vector<std::vector<std::uint64_t>> ticks(threads);
  std::latch ready(threads + 1);
  std::atomic<int> stamping{threads};
  std::vector<std::thread> workers;
  for (auto& mine : ticks) {
    workers.emplace_back([&] {
      mine.reserve(stamps_each);
      ready.arrive_and_wait();
      for (int i = 0; i < stamps_each; ++i) mine.push_back(stamp().tick().bits());
      --stamping;
    });
  }
  ready.arrive_and_wait();
  for (std::uint64_t i = 0; stamping > 0; ++i) {
    time_.set(start_ms + i % 50);
    EXPECT_TRUE(clock_.observe(seen(start_ms + 2 * (i % 100))).has_value());
  }
  for (std::thread& worker : workers) worker.join();

  std::vector<std::uint64_t> all;
  for (const auto& mine : ticks) {
    EXPECT_EQ(std::adjacent_find(mine.begin(), mine.end(), std::greater_equal<>()), mine.end());
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

// An update lost between two threads would take the clock back below what one of them has seen.
TEST_F(HybridClockTest, EveryThreadStampsAboveWhatItHasSeen) {
  constexpr std::uint64_t rounds = 60'000;
  constexpr std::uint64_t step = 25;  // faster than the stamps themselves move the clock, and not 500 ms in all
  std::atomic<int> wrong = 0;
  std::latch ready(threads);
  std::vector<std::thread> workers;
  for (std::uint64_t thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, thread] {
      ready.arrive_and_wait();
      for (std::uint64_t i = 0; i < rounds; ++i) {
        const Version version = Version::make(Tick(Tick::from_ms(start_ms).bits() + i * step + thread), OpId(99));
        if (!clock_.observe(version).has_value() || stamp() <= version) ++wrong;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(HybridClockTest, TheLeadIsZeroWhileTheClockFollows) {
  time_.advance(10);
  EXPECT_EQ(clock_.lead_ms(), 0);
  EXPECT_EQ(stamp().ms(), start_ms + 10);
  EXPECT_EQ(clock_.lead_ms(), 0);
  time_.advance(10);
  EXPECT_EQ(clock_.lead_ms(), 0);
}

}  // namespace
}  // namespace armazem
