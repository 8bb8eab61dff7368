#include "runtime/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <latch>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "core/task.h"
#include "core/task_scope.h"

namespace armazem {
namespace {

// A function as a coroutine that frees itself at its end: what is posted to a pool.
struct Job {
  struct promise_type {
    Job get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<> handle;
};

template <class Function>
Job job(Function function) {
  function();
  co_return;
}

template <class Function>
void post(ThreadPool& pool, Function function) {
  pool.post(job(std::move(function)).handle);
}

// In every test, what jobs refer to is declared before the pool, whose end waits for them.

// Holds one thread of a pool until it is let go.
class Blocker {
 public:
  void hold_a_thread_of(ThreadPool& pool) {
    post(pool, [this] {
      running_.release();
      go_on_.acquire();
    });
    running_.acquire();
  }
  void release() { go_on_.release(); }

 private:
  std::binary_semaphore running_{0};
  std::binary_semaphore go_on_{0};
};

TEST(ThreadPool, RunsOnItsOwnThreads) {
  std::thread::id ran_on;
  {
    ThreadPool pool("test", 1);
    post(pool, [&] { ran_on = std::this_thread::get_id(); });
  }
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ThreadPool, RunningHereIsTrueOnItsThreadsOnly) {
  std::latch done(2);
  ThreadPool pool("test", 1);
  ThreadPool other("other", 1);
  post(pool, [&] {
    EXPECT_TRUE(pool.running_here());
    EXPECT_FALSE(other.running_here());
    done.count_down();
  });
  post(other, [&] {
    EXPECT_FALSE(pool.running_here());
    EXPECT_TRUE(other.running_here());
    done.count_down();
  });
  done.wait();
  EXPECT_FALSE(pool.running_here());
}

TEST(ThreadPool, WithOneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    ThreadPool pool("test", 1);
    for (int i = 0; i < 1000; ++i) post(pool, [&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 1000U);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ThreadPool, UsesAllItsThreads) {
  constexpr std::size_t threads = 4;
  std::latch all_at_once(threads + 1);  // opens only when every thread holds one job
  ThreadPool pool("test", threads);
  for (std::size_t i = 0; i < threads; ++i) post(pool, [&] { all_at_once.arrive_and_wait(); });
  all_at_once.arrive_and_wait();
}

TEST(ThreadPool, PostAllRunsEachOnceAndWakesAllThreads) {
  constexpr std::size_t threads = 4;
  std::latch all_at_once(threads + 1);
  ThreadPool pool("test", threads);
  std::vector<std::coroutine_handle<>> jobs;
  for (std::size_t i = 0; i < threads; ++i) jobs.push_back(job([&] { all_at_once.arrive_and_wait(); }).handle);
  pool.post_all(jobs);
  all_at_once.arrive_and_wait();
}

TEST(ThreadPool, PostAllOfNothingIsHarmless) {
  ThreadPool pool("test", 1);
  pool.post_all({});
  EXPECT_EQ(pool.waiting(), 0U);
}

TEST(ThreadPool, EverythingPostedByManyThreadsRunsOnce) {
  constexpr int posters = 8;
  constexpr int jobs_each = 2'000;
  std::atomic<int> ran = 0;
  {
    ThreadPool pool("test", 3);
    std::vector<std::thread> threads;
    for (int i = 0; i < posters; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < jobs_each; ++j) post(pool, [&] { ++ran; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(ran, posters * jobs_each);
}

TEST(ThreadPool, WaitingCountsWhatNoThreadHasTaken) {
  std::latch done(3);
  Blocker blocker;
  ThreadPool pool("test", 1);
  blocker.hold_a_thread_of(pool);
  EXPECT_EQ(pool.waiting(), 0U);
  for (std::size_t i = 1; i <= 3; ++i) {
    post(pool, [&] { done.count_down(); });
    EXPECT_EQ(pool.waiting(), i);
  }
  blocker.release();
  done.wait();
  EXPECT_EQ(pool.waiting(), 0U);
}

TEST(ThreadPool, EndsAfterAllThatWasPosted) {
  int ran = 0;
  {
    Blocker blocker;
    ThreadPool pool("test", 1);
    blocker.hold_a_thread_of(pool);
    for (int i = 0; i < 100; ++i) post(pool, [&] { ++ran; });
    blocker.release();
  }
  EXPECT_EQ(ran, 100);
}

TEST(ThreadPool, EndsAfterWhatItsOwnWorkPosted) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool("test", 2);
    for (int i = 0; i < 100; ++i) {
      post(pool, [&] {
        ++ran;
        post(pool, [&] { ++ran; });
      });
    }
  }
  EXPECT_EQ(ran, 200);
}

TEST(ThreadPool, ItsNameIsShownCutToFifteenBytes) {
  std::string name;
  std::latch done(1);
  ThreadPool pool("armazem-disk-reads", 1);
  post(pool, [&] {
    char buffer[16] = {};
    pthread_getname_np(pthread_self(), buffer, sizeof buffer);
    name = buffer;
    done.count_down();
  });
  done.wait();
  EXPECT_EQ(name, "armazem-disk-re");
}

// The hand-over of every blocking adapter: leave for the pool, work there, come back home before answering.
TEST(ThreadPool, ATaskMovesToThePoolAndBack) {
  std::latch done(1);
  std::latch home_is_idle(1);
  ThreadPool home("home", 1);
  ThreadPool disk("disk", 2);
  TaskScope scope(home);
  const auto read = [&](int value) -> Task<int> {
    co_await resume_on(disk);
    EXPECT_TRUE(disk.running_here());
    EXPECT_EQ(&co_await this_executor(), &home);
    co_await resume_on(home);
    co_return value;
  };
  const auto handler = [&]() -> Task<void> {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(co_await read(i), i);
      EXPECT_TRUE(home.running_here());
    }
    done.count_down();
  };
  post(home, [&] { scope.spawn(handler()); });
  done.wait();
  post(home, [&] { home_is_idle.count_down(); });  // behind the end of the handler: home has one thread
  home_is_idle.wait();
  EXPECT_EQ(scope.running(), 0U);
}

TEST(ThreadPoolDeathTest, KeepsNoTimers) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ThreadPool pool("test", 1);
        pool.post_at(MonotonicTime(), std::noop_coroutine());
      },
      "timers belong to I/O executors");
}

TEST(ThreadPoolDeathTest, NeedsAThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH({ ThreadPool pool("test", 0); }, "broken invariant");
}

}  // namespace
}  // namespace armazem
