// The system's clocks.
#pragma once

#include <chrono>

#include "core/time_source.h"

namespace armazem {

class SystemTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  }
  [[nodiscard]] MonotonicTime now() const noexcept override { return MonotonicClock::now(); }
};

}  // namespace armazem
