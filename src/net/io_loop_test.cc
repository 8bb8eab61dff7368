// The event loop as an executor: posts, wake-ups and timers.
#include "net/io_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>

#include "core/task.h"
#include "core/task_scope.h"

namespace armazem::net {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

// Runs the loop on this thread until `root`, which begins on the loop, has ended.
void run(IoLoop& loop, Task<void> root) {
  const auto all = [](IoLoop& home, Task<void> work) -> Task<void> {
    co_await resume_on(home);
    co_await std::move(work);
    home.finish();
  };
  start_root(loop, all(loop, std::move(root)));
  loop.run();
}

// Suspends and is posted again, as a task is that gives others a turn.
struct Yield {
  IoLoop& loop;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) const { loop.post(self); }
  void await_resume() const noexcept {}
};

TEST(IoLoop, RunsOnTheThreadThatRunsIt) {
  IoLoop loop;
  std::thread::id ran_on;
  EXPECT_FALSE(loop.running_here());
  const auto root = [&]() -> Task<void> {
    EXPECT_TRUE(loop.running_here());
    ran_on = std::this_thread::get_id();
    co_return;
  };
  run(loop, root());
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_FALSE(loop.running_here());
}

TEST(IoLoop, WhatItPostsToItselfRunsInOrder) {
  IoLoop loop;
  std::vector<int> order;
  const auto task = [&](int number) -> Task<void> {
    const Yield yield{loop};
    co_await yield;
    order.push_back(number);
    co_await yield;
    order.push_back(number + 10);
  };
  TaskScope scope(loop);
  const auto root = [&]() -> Task<void> {
    for (int i = 1; i <= 3; ++i) scope.spawn(task(i));
    co_await scope.join();
  };
  run(loop, root());
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 11, 12, 13));
}

TEST(IoLoop, ManyThreadsWakeItAndNothingIsLost) {
  constexpr int threads = 4;
  constexpr int each = 5'000;
  IoLoop loop;
  int arrived = 0;  // only the loop touches it
  int strangers = 0;
  const auto visit = [&]() -> Task<void> {
    co_await resume_on(loop);
    strangers += loop.running_here() ? 0 : 1;
    if (++arrived == threads * each) loop.finish();
  };
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      for (int i = 0; i < each; ++i) start_root(loop, visit());
    });
  }
  loop.run();
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(arrived, threads * each);
  EXPECT_EQ(strangers, 0);
}

// One at a time, so that the loop is asleep again before each.
TEST(IoLoop, EveryWakeUpFromOutsideArrives) {
  constexpr int rounds = 2'000;
  IoLoop loop;
  std::thread running([&] { loop.run(); });
  for (int i = 0; i < rounds; ++i) {
    std::latch arrived(1);
    const auto visit = [](IoLoop& home, std::latch& here) -> Task<void> {
      co_await resume_on(home);
      here.count_down();
    };
    start_root(loop, visit(loop, arrived));
    arrived.wait();
  }
  loop.finish();
  running.join();
}

TEST(IoLoop, WhatWasPostedBeforeTheEndStillRuns) {
  IoLoop loop;
  int ran = 0;
  const auto visit = [&]() -> Task<void> {
    co_await resume_on(loop);
    ++ran;
  };
  for (int i = 0; i < 10; ++i) start_root(loop, visit());
  loop.finish();
  EXPECT_EQ(ran, 0);
  loop.run();
  EXPECT_EQ(ran, 10);
}

TEST(IoLoop, WhatATimerPostsAtTheEndStillRuns) {
  IoLoop loop;
  bool ran = false;
  const auto last = [&]() -> Task<void> {
    co_await sleep_until(MonotonicClock::now() + milliseconds(1));
    loop.finish();
    const Yield yield{loop};
    co_await yield;
    ran = true;
  };
  start_root(loop, last());
  loop.run();
  EXPECT_TRUE(ran);
}

// Whoever posts it may still be on the way out of `post` when the loop is gone; for the sanitizers.
TEST(IoLoop, TheLastThingMayComeFromAnotherThread) {
  const auto last = [](IoLoop& loop) -> Task<void> {
    co_await resume_on(loop);
    loop.finish();
  };
  for (int i = 0; i < 500; ++i) {
    auto loop = std::make_unique<IoLoop>();
    std::thread outside([&last, &home = *loop] { start_root(home, last(home)); });
    loop->run();
    loop.reset();
    outside.join();
  }
}

TEST(IoLoop, PostAllOfNothingIsHarmless) {
  IoLoop loop;
  loop.post_all({});
  loop.finish();
  loop.run();
}

// Timers ---------------------------------------------------------------------------------------------------------------

TEST(IoLoop, TimersFireInOrderOfTimeAndNeverEarly) {
  IoLoop loop;
  std::vector<int> order;
  int early = 0;
  const MonotonicTime start = MonotonicClock::now();
  const auto wait = [&](int ms) -> Task<void> {
    const MonotonicTime time = start + milliseconds(ms);
    co_await sleep_until(time);
    early += MonotonicClock::now() < time ? 1 : 0;
    order.push_back(ms);
  };
  TaskScope scope(loop);
  const auto root = [&]() -> Task<void> {
    for (const int ms : {8, 2, 6, 4, 0, -5}) scope.spawn(wait(ms));
    co_await scope.join();
  };
  run(loop, root());
  EXPECT_THAT(order, ElementsAre(-5, 0, 2, 4, 6, 8));
  EXPECT_EQ(early, 0);
}

TEST(IoLoop, TimersOfTheSameTimeFireAsTheyWereSet) {
  IoLoop loop;
  std::vector<int> order;
  const MonotonicTime time = MonotonicClock::now() + milliseconds(5);
  const auto wait = [&](int number) -> Task<void> {
    co_await sleep_until(time);
    order.push_back(number);
  };
  TaskScope scope(loop);
  const auto root = [&]() -> Task<void> {
    for (int i = 1; i <= 3; ++i) scope.spawn(wait(i));
    co_await scope.join();
  };
  run(loop, root());
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

// A loop that slept until the farthest timer would not get to the end of these.
TEST(IoLoop, ANearTimerIsNotHeldBackByAFarOne) {
  IoLoop loop;
  const auto root = [&]() -> Task<void> {
    loop.post_at(MonotonicClock::now() + std::chrono::hours(1), std::noop_coroutine());
    for (int i = 0; i < 3; ++i) co_await sleep_until(MonotonicClock::now() + milliseconds(1));
  };
  run(loop, root());
}

TEST(IoLoop, APostIsNotHeldBackByATimer) {
  IoLoop loop;
  std::latch asleep(1);
  const auto visit = [&]() -> Task<void> {
    co_await resume_on(loop);
    loop.finish();
  };
  std::thread outside([&] {
    asleep.wait();
    start_root(loop, visit());
  });
  const auto root = [&]() -> Task<void> {
    co_await resume_on(loop);
    loop.post_at(MonotonicClock::now() + std::chrono::hours(1), std::noop_coroutine());
    asleep.count_down();
  };
  start_root(loop, root());
  loop.run();
  outside.join();
}

}  // namespace
}  // namespace armazem::net
