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
  static constexpr Deadline after(MonotonicTime now, MonotonicClock::duration span) noexcept {
    return Deadline(now > MonotonicTime::max() - span ? MonotonicTime::max() : now + span);
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
