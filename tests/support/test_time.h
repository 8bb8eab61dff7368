// Time in tests: the wall clock stands where the test puts it; monotonic time really passes, or only when the test says so.
#pragma once

#include <atomic>
#include <chrono>

#include "core/time_source.h"

namespace armazem::test {

class TestTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override { return wall_ms_.load(); }
  [[nodiscard]] MonotonicTime now() const noexcept override {
    const MonotonicClock::rep held = held_.load();
    return held == 0 ? MonotonicClock::now() : MonotonicTime(MonotonicClock::duration(held));
  }
  void set_wall_ms(std::uint64_t ms) noexcept { wall_ms_.store(ms); }

  // From now on monotonic time stands, and moves by `pass` alone.
  void hold_still() noexcept { held_.store(MonotonicClock::now().time_since_epoch().count()); }
  // Both clocks; after hold_still.
  void pass(MonotonicClock::duration span) noexcept {
    held_ += span.count();
    const auto ms = [](MonotonicClock::rep at) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(MonotonicClock::duration(at)).count();
    };
    wall_ms_ += static_cast<std::uint64_t>(ms(held_) - ms(held_ - span.count()));
  }

 private:
  std::atomic<std::uint64_t> wall_ms_{1'700'000'000'000};
  std::atomic<MonotonicClock::rep> held_{0};  // since the clock's epoch; 0: not held
};

inline Deadline soon() { return Deadline::after(MonotonicClock::now(), std::chrono::seconds(60)); }
inline Deadline passed() { return Deadline::at(MonotonicClock::now()); }

}  // namespace armazem::test
