// A single-threaded executor with time of its own: when nothing is ready, time jumps to the next timer. A minute of pauses
// takes no time at all, and every run takes the same steps.
#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/executor.h"
#include "core/task.h"
#include "core/task_scope.h"
#include "support/test_time.h"

namespace armazem::test {

class SteppedExecutor final : public Executor {
 public:
  // Holds `time`, which must outlive the executor.
  explicit SteppedExecutor(TestTime& time) : time_(time) { time_.hold_still(); }

  void post(std::coroutine_handle<> resume) override { post_all({&resume, 1}); }
  void post_all(std::span<const std::coroutine_handle<>> resume) override {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.end(), resume.begin(), resume.end());
    wake_.notify_one();
  }
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override { timers_.emplace(time, resume); }
  [[nodiscard]] bool running_here() const noexcept override { return std::this_thread::get_id() == owner_; }

  // All that is ready, and what that makes ready; no time passes.
  void run_ready() {
    while (const auto next = take_ready()) next.resume();
  }
  // Lets time pass, from timer to timer.
  void pass(MonotonicClock::duration span) {
    const MonotonicTime end = time_.now() + span;
    run_ready();
    while (!timers_.empty() && timers_.begin()->first <= end) jump();
    if (time_.now() < end) time_.pass(end - time_.now());
    run_ready();
  }
  // False when `done()` did not come true within that time, or nothing is left that could make it so.
  template <class Done>
  [[nodiscard]] bool run_until(Done done, MonotonicClock::duration within = std::chrono::hours(1)) {
    const MonotonicTime end = time_.now() + within;
    while (!done()) {
      if (const auto next = take_ready()) {
        next.resume();
      } else if (!timers_.empty() && timers_.begin()->first <= end) {
        jump();
      } else {
        return false;
      }
    }
    return true;
  }
  // Runs one task to its end and returns what it returned.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    TaskScope scope(*this);
    scope.spawn(store(std::move(task), result));
    (void)run_until([&] { return scope.running() == 0; });
    return std::move(*result);
  }
  // Calls what blocks on a thread of its own, and meanwhile resumes what is posted; no time passes.
  template <class Blocking>
  void run_beside(Blocking blocking) {
    std::atomic<bool> ended{false};
    std::thread beside([&] {
      blocking();
      const std::lock_guard lock(mutex_);
      ended = true;
      wake_.notify_one();
    });
    while (!ended) {
      run_ready();
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ended || !queue_.empty(); });
    }
    beside.join();
    run_ready();
  }

 private:
  template <class T>
  static Task<void> store(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }
  std::coroutine_handle<> take_ready() {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return {};
    const auto next = queue_.front();
    queue_.pop_front();
    return next;
  }
  void jump() {
    const auto timer = timers_.extract(timers_.begin());
    if (timer.key() > time_.now()) time_.pass(timer.key() - time_.now());
    timer.mapped().resume();
    run_ready();
  }

  TestTime& time_;
  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::coroutine_handle<>> queue_;  // guarded by mutex_
  std::multimap<MonotonicTime, std::coroutine_handle<>> timers_;  // owner's thread only
};

}  // namespace armazem::test
