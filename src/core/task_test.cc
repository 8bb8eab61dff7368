#include "core/task.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/task_scope.h"

namespace armazem {
namespace {

// Runs what was posted when told to, on the thread of the test.
class HandExecutor final : public Executor {
 public:
  void post(std::coroutine_handle<> resume) override {
    ++posts;
    queue_.push_back(resume);
  }
  void post_all(std::span<const std::coroutine_handle<>> resume) override {
    queue_.insert(queue_.end(), resume.begin(), resume.end());
  }
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override {
    timer_times.push_back(time);
    queue_.push_back(resume);
  }
  bool running_here() const noexcept override { return running_; }

  void run_all() {
    running_ = true;
    while (!queue_.empty()) {
      const auto next = queue_.front();
      queue_.pop_front();
      next.resume();
    }
    running_ = false;
  }
  [[nodiscard]] std::size_t posted() const { return queue_.size(); }

  int posts = 0;
  std::vector<MonotonicTime> timer_times;

 private:
  std::deque<std::coroutine_handle<>> queue_;
  bool running_ = false;
};

class TaskTest : public testing::Test {
 protected:
  // Runs a root task to its end.
  void run(Task<void> task) {
    scope_.spawn(std::move(task));
    home_.run_all();
    ASSERT_EQ(scope_.running(), 0U);
  }

  HandExecutor home_;
  HandExecutor other_;
  TaskScope scope_{home_};
};

Task<int> computed(int value) { co_return value; }
Task<int> ready(int value) { return Task<int>(value); }

Task<void> store(Task<int> task, int& out) { out = co_await std::move(task); }

// A value -------------------------------------------------------------------------------------------------------------

TEST_F(TaskTest, AReadyTaskHasItsValueAtOnce) {
  Task<int> task = ready(7);
  ASSERT_TRUE(task.ready());
  EXPECT_EQ(task.take_ready(), 7);
}

TEST_F(TaskTest, ACoroutineIsNotReady) { EXPECT_FALSE(computed(7).ready()); }

TEST_F(TaskTest, AwaitingGivesTheValueOfEither) {
  int from_ready = 0;
  int from_coroutine = 0;
  run(store(ready(7), from_ready));
  run(store(computed(8), from_coroutine));
  EXPECT_EQ(from_ready, 7);
  EXPECT_EQ(from_coroutine, 8);
}

// A coroutine handle converts to bool, and must not be taken for a value that is ready.
TEST_F(TaskTest, ACoroutineThatGivesABoolIsNotReady) {
  const auto no = []() -> Task<bool> { co_return false; };
  bool out = true;
  EXPECT_FALSE(no().ready());
  const auto root = [&]() -> Task<void> { out = co_await no(); };
  run(root());
  EXPECT_FALSE(out);
}

TEST_F(TaskTest, AwaitingWhatNeedsNoWaitingPostsNothing) {
  int out = 0;
  scope_.spawn(store(computed(8), out));
  EXPECT_EQ(home_.posted(), 0U);
  EXPECT_EQ(out, 8);
}

TEST_F(TaskTest, MoveOnlyValuesPassThroughBoth) {
  const auto make = [](int value) -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(value); };
  const auto have = [](int value) { return Task<std::unique_ptr<int>>(std::make_unique<int>(value)); };
  int sum = 0;
  const auto root = [&]() -> Task<void> {
    const std::unique_ptr<int> made = co_await make(3);
    const std::unique_ptr<int> had = co_await have(4);
    sum = *made + *had;
  };
  run(root());
  EXPECT_EQ(sum, 7);
}

// A life --------------------------------------------------------------------------------------------------------------

TEST_F(TaskTest, NothingRunsBeforeItIsAwaited) {
  bool started = false;
  const auto child = [&]() -> Task<void> {
    started = true;
    co_return;
  };
  const auto root = [&]() -> Task<void> {
    Task<void> waiting = child();
    EXPECT_FALSE(started);
    co_await std::move(waiting);
    EXPECT_TRUE(started);
  };
  run(root());
  EXPECT_TRUE(started);
}

TEST_F(TaskTest, ATaskNeverAwaitedReleasesWhatItHolds) {
  const auto token = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  {
    const Task<int> dropped = hold(token);
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(TaskTest, AssigningReleasesTheTaskBefore) {
  const auto token = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  Task<int> task = hold(token);
  task = computed(5);
  EXPECT_EQ(token.use_count(), 1);
  int out = 0;
  run(store(std::move(task), out));
  EXPECT_EQ(out, 5);
}

TEST_F(TaskTest, AFrameIsGoneWhenItsAwaiterGoesOn) {
  const auto token = std::make_shared<int>(1);
  const auto hold = [](std::shared_ptr<int> held) -> Task<int> { co_return *held; };
  const auto root = [&]() -> Task<void> {
    EXPECT_EQ(co_await hold(token), 1);
    EXPECT_EQ(token.use_count(), 1);
  };
  run(root());
}

// Exceptions ----------------------------------------------------------------------------------------------------------

Task<int> throwing(int depth) {
  if (depth == 0) throw std::runtime_error("from below");
  co_return co_await throwing(depth - 1) + 1;
}

TEST_F(TaskTest, AnExceptionTravelsThroughEveryAwaiter) {
  std::string caught;
  const auto root = [&]() -> Task<void> {
    try {
      co_await throwing(3);
    } catch (const std::runtime_error& error) {
      caught = error.what();
    }
    EXPECT_EQ(co_await computed(1), 1);  // and what caught it goes on
  };
  run(root());
  EXPECT_EQ(caught, "from below");
}

TEST_F(TaskTest, AnExceptionOfATaskWithoutAValueTravelsToo) {
  const auto child = []() -> Task<void> {
    throw std::runtime_error("void");
    co_return;
  };
  bool caught = false;
  const auto root = [&]() -> Task<void> {
    try {
      co_await child();
    } catch (const std::runtime_error&) {
      caught = true;
    }
  };
  run(root());
  EXPECT_TRUE(caught);
}

// Executors -----------------------------------------------------------------------------------------------------------

Task<Executor*> executor_at_depth(int depth) {
  if (depth == 0) co_return &co_await this_executor();
  co_return co_await executor_at_depth(depth - 1);
}

TEST_F(TaskTest, TheExecutorIsHandedDownToEveryDepth) {
  Executor* seen = nullptr;
  const auto root = [&]() -> Task<void> { seen = co_await executor_at_depth(5); };
  run(root());
  EXPECT_EQ(seen, &home_);
}

TEST_F(TaskTest, SleepingWaitsOnTheCoroutinesOwnExecutor) {
  const MonotonicTime time{std::chrono::seconds(5)};
  bool awake = false;
  const auto root = [&]() -> Task<void> {
    co_await sleep_until(time);
    awake = true;
  };
  scope_.spawn(root());
  EXPECT_EQ(home_.timer_times, std::vector{time});
  EXPECT_FALSE(awake);
  home_.run_all();
  EXPECT_TRUE(awake);
}

TEST_F(TaskTest, YieldingLetsWhatIsReadyGoFirst) {
  std::string order;
  const auto worker = [&](char name) -> Task<void> {
    order += name;
    co_await yield_now();
    order += name;
  };
  scope_.spawn(worker('a'));
  scope_.spawn(worker('b'));
  home_.run_all();
  EXPECT_EQ(order, "abab");
}

TEST_F(TaskTest, ResumeOnContinuesOnTheOtherExecutorAndComesBack) {
  std::vector<std::string> where;
  const auto note = [&] {
    where.emplace_back(home_.running_here() ? "home" : other_.running_here() ? "other" : "neither");
  };
  const auto root = [&]() -> Task<void> {
    co_await resume_on(home_);
    note();
    co_await resume_on(other_);
    note();
    co_await resume_on(home_);
    note();
  };
  scope_.spawn(root());
  home_.run_all();
  other_.run_all();
  home_.run_all();
  EXPECT_EQ(where, (std::vector<std::string>{"home", "other", "home"}));
  EXPECT_EQ(scope_.running(), 0U);
}

TEST_F(TaskTest, ResumeOnWhereItAlreadyRunsGoesOnAtOnce) {
  const auto root = [&]() -> Task<void> {
    co_await resume_on(home_);
    EXPECT_EQ(home_.posts, 1);
    co_await resume_on(home_);
    EXPECT_EQ(home_.posts, 1);
    EXPECT_TRUE(home_.running_here());
  };
  run(root());
}

TEST_F(TaskTest, ACoroutineElsewhereKeepsItsOwnExecutor) {
  Executor* seen = nullptr;
  const auto root = [&]() -> Task<void> {
    co_await resume_on(other_);
    seen = &co_await this_executor();
    co_await resume_on(home_);
  };
  scope_.spawn(root());
  other_.run_all();
  home_.run_all();
  EXPECT_EQ(seen, &home_);
}

// Depth ---------------------------------------------------------------------------------------------------------------

// Symmetric transfer is a tail call. Clang always makes it one, GCC from -O2 on and where no sanitizer keeps the frames:
// there the stack must stay flat. Elsewhere few enough are run to fit onto it.
#if defined(__clang__)
constexpr bool transfers_are_tail_calls = true;
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__) || !defined(NDEBUG)
constexpr bool transfers_are_tail_calls = false;
#else
constexpr bool transfers_are_tail_calls = true;
#endif
constexpr std::uintptr_t flat_bytes = 4096;
constexpr int few = 1'000;
constexpr int many = 1'000'000;

std::uintptr_t stack_position() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

std::uintptr_t distance(std::uintptr_t a, std::uintptr_t b) { return a > b ? a - b : b - a; }

Task<int> nested(int depth, std::uintptr_t& innermost) {
  if (depth == 0) {
    innermost = stack_position();
    co_return 0;
  }
  co_return 1 + co_await nested(depth - 1, innermost);
}

// How far the stack moves on the way down and on the way back.
Task<void> measure_nested(int depth, std::uintptr_t& growth) {
  const std::uintptr_t outermost = stack_position();
  std::uintptr_t innermost = 0;
  EXPECT_EQ(co_await nested(depth, innermost), depth);
  growth = std::max(distance(outermost, innermost), distance(outermost, stack_position()));
}

Task<void> measure_in_a_row(int count, std::uintptr_t& growth) {
  const std::uintptr_t first = stack_position();
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await computed(1);
  EXPECT_EQ(sum, count);
  growth = distance(first, stack_position());
}

class TaskDepthTest : public TaskTest {
 protected:
  using Measure = Task<void>(int, std::uintptr_t&);

  void expect_flat(Measure measure) {
    std::uintptr_t growth = 0;
    run(measure(few, growth));
    if (!transfers_are_tail_calls) GTEST_SKIP() << "this build makes no tail calls: " << growth / few << " bytes per await";
    ASSERT_LT(growth, flat_bytes);
    run(measure(many, growth));
    EXPECT_LT(growth, flat_bytes);
  }
};

TEST_F(TaskDepthTest, ManyNestedAwaitsDoNotGrowTheStack) { expect_flat(measure_nested); }
TEST_F(TaskDepthTest, ManyAwaitsInARowDoNotGrowTheStack) { expect_flat(measure_in_a_row); }

// Scopes --------------------------------------------------------------------------------------------------------------

Task<void> hop(HandExecutor& executor, int times) {
  for (int i = 0; i < times; ++i) co_await sleep_until(MonotonicTime());
  EXPECT_TRUE(executor.running_here());
}

TEST_F(TaskTest, SpawnRunsUpToTheFirstSuspension) {
  scope_.spawn(hop(home_, 1));
  EXPECT_EQ(scope_.running(), 1U);
  EXPECT_EQ(home_.posted(), 1U);
  home_.run_all();
  EXPECT_EQ(scope_.running(), 0U);
}

TEST_F(TaskTest, JoinOfAnEmptyScopeGoesOnAtOnce) {
  TaskScope empty(home_);
  bool joined = false;
  const auto root = [&]() -> Task<void> {
    co_await empty.join();
    joined = true;
  };
  scope_.spawn(root());
  EXPECT_TRUE(joined);
}

TEST_F(TaskTest, JoinWaitsForTheLastTask) {
  TaskScope work(home_);
  std::size_t running_at_join = 99;
  const auto root = [&]() -> Task<void> {
    for (int i = 1; i <= 3; ++i) work.spawn(hop(home_, i));
    EXPECT_EQ(work.running(), 3U);
    co_await work.join();
    running_at_join = work.running();
  };
  run(root());
  EXPECT_EQ(running_at_join, 0U);
}

TEST_F(TaskTest, AScopeCanBeJoinedAgain) {
  TaskScope work(home_);
  int joined = 0;
  const auto root = [&]() -> Task<void> {
    for (int round = 0; round < 2; ++round) {
      work.spawn(hop(home_, 1));
      co_await work.join();
      ++joined;
    }
  };
  run(root());
  EXPECT_EQ(joined, 2);
}

TEST_F(TaskTest, ARootReleasesWhatItHeldBeforeTheJoinerGoesOn) {
  const auto token = std::make_shared<int>(1);
  TaskScope work(home_);
  const auto child = [](std::shared_ptr<int> held) -> Task<void> {
    co_await sleep_until(MonotonicTime());
    EXPECT_EQ(*held, 1);
  };
  const auto root = [&]() -> Task<void> {
    work.spawn(child(token));
    co_await work.join();
    EXPECT_EQ(token.use_count(), 1);
  };
  run(root());
}

TEST(TaskScopeDeathTest, DestroyingAScopeWithWorkInFlightEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        HandExecutor home;
        TaskScope scope(home);
        scope.spawn(hop(home, 1));
      },
      "broken invariant");
}

TEST(TaskScopeDeathTest, ARootThatEndsByAnExceptionEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        HandExecutor home;
        TaskScope scope(home);
        const auto root = []() -> Task<void> { (void)co_await throwing(0); };
        scope.spawn(root());
      },
      "from below|terminate");
}

}  // namespace
}  // namespace armazem
