// Counts running root coroutines, so that none is ever detached: whoever spawns can wait until all have ended.
//
// Thread rule: one executor. `spawn` and `join` are called on it and every task of the scope runs on it.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <utility>

#include "core/task.h"

namespace armazem {

namespace detail {

struct Root {
  struct promise_type : PromiseBase {
    Root get_return_object() noexcept { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void unhandled_exception() const noexcept { std::terminate(); }
    void return_void() const noexcept {}
  };
  std::coroutine_handle<promise_type> handle;
};

inline Root run_root(Task<void> task) { co_await std::move(task); }

}  // namespace detail

// Starts a root coroutine on `executor`, on the calling thread up to its first suspension. Its owner must learn of its end
// from the task itself; where one executor is enough, TaskScope does that bookkeeping.
inline void start_root(Executor& executor, Task<void> task) {
  detail::Root root = detail::run_root(std::move(task));
  root.handle.promise().set_executor(executor);
  root.handle.resume();
}

class TaskScope {
 public:
  explicit TaskScope(Executor& executor) noexcept : executor_(executor) {}
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  // Destroying a scope with work in flight would leave coroutines without an owner.
  ~TaskScope() { ARMAZEM_ASSERT(running_ == 0); }

  // Runs the task up to its first suspension before returning. A task that ends by an exception ends the process:
  // root tasks handle their own errors.
  void spawn(Task<void> task) {
    ++running_;
    start_root(executor_, run(std::move(task)));
  }

  [[nodiscard]] std::size_t running() const noexcept { return running_; }

  // co_await scope.join(): resumes when no task is running. One waiter at a time.
  auto join() noexcept {
    struct Awaiter {
      TaskScope& scope;
      bool await_ready() const noexcept { return scope.running_ == 0; }
      void await_suspend(std::coroutine_handle<> waiter) const noexcept { scope.waiter_ = waiter; }
      void await_resume() const noexcept {}
    };
    return Awaiter{*this};
  }

 private:
  Task<void> run(Task<void> task) {
    co_await std::move(task);
    finished();
  }

  void finished() {
    if (--running_ == 0 && waiter_) executor_.post(std::exchange(waiter_, {}));
  }

  Executor& executor_;
  std::size_t running_ = 0;
  std::coroutine_handle<> waiter_;
};

}  // namespace armazem
