// Calls that wait for a connection: in their order, bounded, and no longer than their deadlines.
//
// Thread rule: the loop's own thread.
#pragma once

#include <deque>
#include <optional>

#include "adapters/postgres/counters.h"
#include "core/result.h"
#include "core/sweeper.h"
#include "net/io_loop.h"

namespace armazem::pg {

// Lives in the frame of the coroutine that waits for it.
template <class T>
class PendingCall {
 public:
  PendingCall(net::IoLoop& loop, Deadline deadline) noexcept : loop_(loop), deadline_(deadline) {}
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  [[nodiscard]] bool overdue(MonotonicTime now) const noexcept { return deadline_.expired(now); }
  void finish(Result<T> result) {
    result_.emplace(std::move(result));
    if (waiter_) loop_.post(std::exchange(waiter_, {}));
  }

  // co_await call.result()
  [[nodiscard]] auto result() noexcept {
    struct Wait {
      PendingCall& call;
      bool await_ready() const noexcept { return call.result_.has_value(); }
      void await_suspend(std::coroutine_handle<> self) const noexcept { call.waiter_ = self; }
      Result<T> await_resume() const { return std::move(*call.result_); }
    };
    return Wait{*this};
  }

 private:
  net::IoLoop& loop_;
  const Deadline deadline_;
  std::coroutine_handle<> waiter_;
  std::optional<Result<T>> result_;
};

template <class Call>
class CallQueue final : private Sweepable {
 public:
  CallQueue(Sweeper& sweeper, std::size_t size_max, Counters& counters, Counter& waiting)
      : sweeper_(sweeper), size_max_(size_max), counters_(counters), waiting_(waiting) {
    sweeper_.add(*this);
  }
  ~CallQueue() { sweeper_.remove(*this); }
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return calls_.size(); }

  // False when the bound is reached.
  [[nodiscard]] bool push(Call& call) {
    if (calls_.size() >= size_max_) {
      count(counters_.refused_overloaded);
      return false;
    }
    calls_.push_back(&call);
    count(waiting_);
    return true;
  }
  // Has waited already: goes first, and always finds room.
  void push_front(Call& call) {
    calls_.push_front(&call);
    count(waiting_);
  }
  [[nodiscard]] Call& pop() {
    Call& first = *calls_.front();
    calls_.pop_front();
    uncount(waiting_);
    return first;
  }
  void fail_all(const Error& error) {
    while (!empty()) pop().finish(fail(error));
  }

 private:
  void sweep(MonotonicTime now) override {
    for (std::size_t i = calls_.size(); i > 0; --i) {
      Call& call = pop();
      if (call.overdue(now)) {
        count(counters_.timed_out);
        call.finish(fail(ErrorCode::deadline_exceeded, "no connection to the database became free in time"));
      } else {
        calls_.push_back(&call);
        count(waiting_);
      }
    }
  }

  Sweeper& sweeper_;
  const std::size_t size_max_;
  Counters& counters_;
  Counter& waiting_;
  std::deque<Call*> calls_;
};

}  // namespace armazem::pg
