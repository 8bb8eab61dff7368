// Where time comes from. Production reads the system; tests and the simulation hold it still or move it.
#pragma once

#include <cstdint>

#include "core/deadline.h"

namespace armazem {

class TimeSource {
 public:
  virtual ~TimeSource() = default;
  // Unix milliseconds; may step in either direction. Only the hybrid clock and expiry may look at it.
  [[nodiscard]] virtual std::uint64_t wall_ms() const noexcept = 0;
  // Never goes back; for deadlines and durations.
  [[nodiscard]] virtual MonotonicTime now() const noexcept = 0;
};

}  // namespace armazem
