// The system's clocks. An offset of the wall clock, for tests of clock skew, is set once before other threads run.
#pragma once

#include <chrono>

#include "core/time_source.h"

namespace armazem {

class SystemTime final : public TimeSource {
 public:
  explicit SystemTime(std::chrono::milliseconds wall_offset = std::chrono::milliseconds(0)) noexcept : offset_(wall_offset) {}

  [[nodiscard]] std::uint64_t wall_ms() const noexcept override {
    const auto now = std::chrono::system_clock::now().time_since_epoch() + offset_;
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
  [[nodiscard]] MonotonicTime now() const noexcept override { return MonotonicClock::now(); }

 private:
  std::chrono::milliseconds offset_;
};

}  // namespace armazem
