// co_await run_at(executor, task): runs a whole task on another executor and comes back with what it returned.
//
// Unlike `resume_on`, which only moves the awaiting coroutine, everything inside the task belongs to that executor: its
// timers and sockets too. On the executor itself it costs one coroutine frame and no hand-over.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "core/task.h"
#include "core/task_scope.h"

namespace armazem {

namespace detail {

template <class T>
struct RunAt {
  Executor& there;
  Task<T> task;
  std::optional<T> value{};
  std::exception_ptr thrown{};

  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> awaiting) {
    start_root(there, run(*this, awaiting.promise().executor(), awaiting));
  }
  T await_resume() {
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }

 private:
  static Task<void> run(RunAt& self, Executor& home, std::coroutine_handle<> awaiting) {
    co_await resume_on(self.there);
    {
      Task<T> gone_before_the_end = std::move(self.task);
      try {
        self.value.emplace(co_await std::move(gone_before_the_end));
      } catch (...) {
        self.thrown = std::current_exception();
      }
    }
    home.post(awaiting);
  }
};

}  // namespace detail

template <class T>
Task<T> run_at(Executor& there, Task<T> task) {
  if (there.running_here()) co_return co_await std::move(task);
  detail::RunAt<T> elsewhere{there, std::move(task)};
  co_return co_await elsewhere;
}

}  // namespace armazem
