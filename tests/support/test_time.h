// Time in tests: the wall clock stands where the test puts it, monotonic time really passes.
#pragma once

#include <atomic>

#include "core/time_source.h"

namespace armazem::test {

class TestTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override { return wall_ms_.load(); }
  [[nodiscard]] MonotonicTime now() const noexcept override { return MonotonicClock::now(); }
  void set_wall_ms(std::uint64_t ms) noexcept { wall_ms_.store(ms); }

 private:
  std::atomic<std::uint64_t> wall_ms_{1'700'000'000'000};
};

inline Deadline soon() { return Deadline::after(MonotonicClock::now(), std::chrono::seconds(60)); }
inline Deadline passed() { return Deadline::at(MonotonicClock::now()); }

}  // namespace armazem::test
