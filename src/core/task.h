// Task<T>: a lazy coroutine that knows its executor, or simply a ready value.
//
// - Starts when it is awaited, and returns to its awaiter by symmetric transfer: no queue, no lock, no allocation beyond
//   the frame. A function that already has its answer returns `Task<T>(value)` and costs no frame at all.
// - The executor is handed down from awaiter to awaited. Leaf operations (a thread hand-over, a timer, a socket) resume
//   their coroutine on it, so code above them never changes threads unseen.
// - Exceptions travel to the awaiter. Roots are started by `spawn` only, under a TaskScope that counts them.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/assert.h"
#include "core/executor.h"

namespace armazem {

template <class T>
class Task;

namespace detail {

class PromiseBase {
 public:
  [[nodiscard]] Executor& executor() const noexcept { return *executor_; }
  void set_executor(Executor& executor) noexcept { executor_ = &executor; }
  void set_continuation(std::coroutine_handle<> continuation) noexcept { continuation_ = continuation; }

  std::suspend_always initial_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      return self.promise().continuation_;
    }
    void await_resume() const noexcept {}
  };
  FinalAwaiter final_suspend() const noexcept { return {}; }

 protected:
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  Executor* executor_ = nullptr;
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
  std::exception_ptr exception_;
};

template <class T>
class Promise : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    rethrow();
    ARMAZEM_ASSERT(value_.has_value());
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const { rethrow(); }
};

// Owns a coroutine frame.
template <class P>
class Frame {
 public:
  Frame() noexcept = default;
  explicit Frame(std::coroutine_handle<P> handle) noexcept : handle_(handle) {}
  Frame(Frame&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Frame& operator=(Frame&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Frame() { reset(); }

  [[nodiscard]] std::coroutine_handle<P> handle() const noexcept { return handle_; }

 private:
  void reset() noexcept {
    if (handle_) handle_.destroy();
    handle_ = {};
  }
  std::coroutine_handle<P> handle_;
};

template <class P, class AwaitingPromise>
std::coroutine_handle<> start_awaited(std::coroutine_handle<P> awaited,
                                      std::coroutine_handle<AwaitingPromise> awaiting) noexcept {
  awaited.promise().set_executor(awaiting.promise().executor());
  awaited.promise().set_continuation(awaiting);
  return awaited;
}

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : state_(Frame(handle)) {}
  // A ready task.
  template <class U>
    requires std::constructible_from<T, U&&> && (!std::same_as<std::remove_cvref_t<U>, Task>)
  explicit Task(U&& value) : state_(std::in_place_type<T>, std::forward<U>(value)) {}

  // True when the value is already here and awaiting will not suspend.
  [[nodiscard]] bool ready() const noexcept { return std::holds_alternative<T>(state_); }
  // Only when ready.
  [[nodiscard]] T take_ready() { return std::move(std::get<T>(state_)); }

  auto operator co_await() && noexcept { return Awaiter{state_}; }

 private:
  using Frame = detail::Frame<promise_type>;

  struct Awaiter {
    std::variant<T, Frame>& state;
    bool await_ready() const noexcept { return std::holds_alternative<T>(state); }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) const noexcept {
      return detail::start_awaited(std::get<Frame>(state).handle(), awaiting);
    }
    T await_resume() const {
      if (auto* value = std::get_if<T>(&state)) return std::move(*value);
      return std::get<Frame>(state).handle().promise().take();
    }
  };

  std::variant<T, Frame> state_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  using promise_type = detail::Promise<void>;

  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : frame_(handle) {}

  auto operator co_await() && noexcept { return Awaiter{frame_.handle()}; }

 private:
  struct Awaiter {
    std::coroutine_handle<promise_type> handle;
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiting) const noexcept {
      return detail::start_awaited(handle, awaiting);
    }
    void await_resume() const { handle.promise().take(); }
  };

  detail::Frame<promise_type> frame_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// co_await this_executor: the executor of the awaiting coroutine; never suspends.
struct ThisExecutor {
  Executor* executor = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiting) noexcept {
    executor = &awaiting.promise().executor();
    return false;
  }
  Executor& await_resume() const noexcept { return *executor; }
};
inline ThisExecutor this_executor() noexcept { return {}; }

// co_await sleep_until(time): resumes on the coroutine's own executor at that time.
struct SleepUntil {
  MonotonicTime time;
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> awaiting) const {
    awaiting.promise().executor().post_at(time, awaiting);
  }
  void await_resume() const noexcept {}
};
inline SleepUntil sleep_until(MonotonicTime time) noexcept { return {time}; }

// co_await yield_now(): lets everything else that is ready on this executor go first.
struct YieldNow {
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> awaiting) const {
    awaiting.promise().executor().post(awaiting);
  }
  void await_resume() const noexcept {}
};
inline YieldNow yield_now() noexcept { return {}; }

// co_await resume_on(other): continues on another executor, at once when already there. The coroutine's own executor
// stays what it was: whoever leaves it comes back with `co_await resume_on(home)` before returning.
struct ResumeOn {
  Executor& executor;
  bool await_ready() const noexcept { return executor.running_here(); }
  void await_suspend(std::coroutine_handle<> awaiting) const { executor.post(awaiting); }
  void await_resume() const noexcept {}
};
inline ResumeOn resume_on(Executor& executor) noexcept { return {executor}; }

}  // namespace armazem
