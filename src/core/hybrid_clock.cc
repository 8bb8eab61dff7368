#include "core/hybrid_clock.h"

#include <algorithm>

#include "core/limits.h"
#include "core/planted.h"

namespace armazem {

Version HybridClock::stamp(OpId op) noexcept {
  const std::uint64_t wall = Tick::from_ms(time_.wall_ms()).bits();
  std::uint64_t last = last_.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = std::max(wall, last + 1);
  } while (!last_.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return Version::make(Tick(next), planted(Bug::no_op_id) ? OpId() : op);
}

Version HybridClock::stamp_above(const Version& current, OpId op) noexcept {
  return Version::make(current.tick().next(), planted(Bug::no_op_id) ? OpId() : op);
}

Result<void> HybridClock::observe(const Version& seen) noexcept {
  const std::uint64_t wall_ms = time_.wall_ms();
  const bool ours = seen.tick().bits() <= last_.load(std::memory_order_relaxed);
  if (!ours && seen.ms() > wall_ms + static_cast<std::uint64_t>(limits::clock_lead_max.count())) {
    return fail(ErrorCode::invalid_argument, "the version lies " + std::to_string(seen.ms() - wall_ms) +
                                                 " ms ahead of this server's clock; at most 500 ms are accepted");
  }
  const std::uint64_t tick = seen.tick().bits();
  std::uint64_t last = last_.load(std::memory_order_relaxed);
  while (last < tick && !last_.compare_exchange_weak(last, tick, std::memory_order_relaxed)) {
  }
  return {};
}

std::int64_t HybridClock::lead_ms() const noexcept {
  const auto last = static_cast<std::int64_t>(Tick(last_.load(std::memory_order_relaxed)).ms());
  return std::max<std::int64_t>(0, last - static_cast<std::int64_t>(time_.wall_ms()));
}

}  // namespace armazem
