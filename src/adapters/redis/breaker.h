// Leaves a node alone that fails again and again. Closed: calls go through. Open: calls fail at once. When the open time
// is over, a ping in the background tries first (half-open), never a user's request.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "core/deadline.h"

namespace armazem::redis {

class Breaker {
 public:
  enum class State : std::uint8_t { closed, open, half_open };

  // `open_span` is the longest time open; the shortest is half of it.
  Breaker(int failures_max, std::chrono::milliseconds open_span) noexcept
      : failures_max_(failures_max), open_span_(open_span) {}

  [[nodiscard]] bool allows() const noexcept { return state_ == State::closed; }
  [[nodiscard]] State state() const noexcept { return state_; }

  // True exactly once after the open time, for the one that is to ping.
  bool take_probe(MonotonicTime now) noexcept {
    if (state_ != State::open || now < open_until_) return false;
    state_ = State::half_open;
    return true;
  }
  void succeeded() noexcept {
    failures_ = 0;
    state_ = State::closed;
  }
  // An answer to a user's request that was on its way when the breaker opened closes nothing.
  void request_succeeded() noexcept {
    if (state_ == State::closed) failures_ = 0;
  }
  // True when that opened it.
  template <class Random>
  bool failed(MonotonicTime now, Random& random) {
    if (state_ == State::open || (state_ == State::closed && ++failures_ < failures_max_)) return false;
    const auto half = open_span_ / 2;
    state_ = State::open;
    open_until_ = now + half + std::chrono::milliseconds(random() % static_cast<std::uint64_t>(half.count() + 1));
    return true;
  }

 private:
  const int failures_max_;
  const std::chrono::milliseconds open_span_;
  State state_ = State::closed;
  int failures_ = 0;
  MonotonicTime open_until_{};
};

}  // namespace armazem::redis
