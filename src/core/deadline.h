// A deadline is made once per request and spent by everything below it. Monotonic time only.
#pragma once

#include <algorithm>
#include <chrono>

namespace armazem {

using MonotonicClock = std::chrono::steady_clock;
using MonotonicTime = MonotonicClock::time_point;

class Deadline {
 public:
  // No bound: for start-up and maintenance, never for a client's request.
  static constexpr Deadline none() noexcept { return Deadline(MonotonicTime::max()); }
  static constexpr Deadline at(MonotonicTime time) noexcept { return Deadline(time); }
  // A negative span is a deadline that has passed.
  static constexpr Deadline after(MonotonicTime now, MonotonicClock::duration span) noexcept {
    const bool beyond = span > MonotonicClock::duration::zero() && now > MonotonicTime::max() - span;
    return Deadline(beyond ? MonotonicTime::max() : now + span);
  }

  [[nodiscard]] constexpr bool expired(MonotonicTime now) const noexcept { return now >= time_; }
  [[nodiscard]] constexpr MonotonicTime time() const noexcept { return time_; }
  [[nodiscard]] constexpr MonotonicClock::duration remaining(MonotonicTime now) const noexcept {
    return std::max(MonotonicClock::duration::zero(), time_ - now);
  }

 private:
  explicit constexpr Deadline(MonotonicTime time) noexcept : time_(time) {}
  MonotonicTime time_;
};

}  // namespace armazem
