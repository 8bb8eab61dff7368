// Runs tasks in a test: a single-threaded executor with timers that the test's own thread drives.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/executor.h"
#include "core/task.h"
#include "core/task_scope.h"

namespace armazem::test {

class TestExecutor final : public Executor {
 public:
  void post(std::coroutine_handle<> resume) override { post_all({&resume, 1}); }
  void post_all(std::span<const std::coroutine_handle<>> resume) override {
    const std::lock_guard lock(mutex_);
    queue_.insert(queue_.end(), resume.begin(), resume.end());
    wake_.notify_one();  // under the lock: what was posted may be the last thing that this executor lives for
  }
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override { timers_.emplace(time, resume); }
  [[nodiscard]] bool running_here() const noexcept override { return std::this_thread::get_id() == owner_; }

  // Resumes what is posted until `done()`. A test that makes no progress ends here, with a message, and not in a
  // time-out of the whole program.
  template <class Done>
  void run_until(Done done) {
    const MonotonicTime give_up = MonotonicClock::now() + std::chrono::seconds(120);
    while (!done()) {
      const std::coroutine_handle<> next = take_next(give_up);
      if (!next) {
        std::fprintf(stderr, "TestExecutor: no progress for too long\n");
        std::abort();
      }
      next.resume();
    }
  }

  // Runs one task to its end and returns what it returned.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    TaskScope scope(*this);
    scope.spawn(store(std::move(task), result));
    run_until([&] { return scope.running() == 0; });
    return std::move(*result);
  }

 private:
  template <class T>
  static Task<void> store(Task<T> task, std::optional<T>& result) {
    result.emplace(co_await std::move(task));
  }

  std::coroutine_handle<> take_next(MonotonicTime give_up) {
    std::unique_lock lock(mutex_);
    while (true) {
      if (!queue_.empty()) {
        const auto next = queue_.front();
        queue_.pop_front();
        return next;
      }
      const MonotonicTime now = MonotonicClock::now();
      if (!timers_.empty() && timers_.begin()->first <= now) return timers_.extract(timers_.begin()).mapped();
      if (now >= give_up) return {};
      wake_.wait_until(lock, timers_.empty() ? give_up : std::min(give_up, timers_.begin()->first));
    }
  }

  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::coroutine_handle<>> queue_;                        // guarded by mutex_
  std::multimap<MonotonicTime, std::coroutine_handle<>> timers_;     // owner's thread only
};

template <class T>
T run_task(Task<T> task) {
  TestExecutor executor;
  return executor.run(std::move(task));
}

}  // namespace armazem::test
