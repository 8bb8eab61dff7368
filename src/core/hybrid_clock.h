// Hybrid logical clock (Kulkarni, Demirbas et al., "Logical Physical Clocks", 2014) that stamps versions.
//
// Thread rule: every method may be called from any thread; one atomic word is the whole state.
// Guards: it never goes back; a version seen from outside moves it at most `clock_lead_max` ahead of the wall clock, so
// that one wrong clock or one forged token cannot make keys unwritable.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/result.h"
#include "core/time_source.h"
#include "core/version.h"

namespace armazem {

class HybridClock {
 public:
  // `time` must outlive the clock.
  explicit HybridClock(const TimeSource& time) noexcept : time_(time) {}

  // Newer than every version stamped or observed here before.
  [[nodiscard]] Version stamp(OpId op) noexcept;

  // A version at the tick after `current`, with that op id. Does not move the clock: a key ahead of us stays its own
  // affair.
  [[nodiscard]] static Version stamp_above(const Version& current, OpId op) noexcept;

  // Merges a version seen from outside. More than `clock_lead_max` ahead of the wall clock and newer than all that was
  // stamped here: invalid_argument, and the clock stays.
  [[nodiscard]] Result<void> observe(const Version& seen) noexcept;

  // Goes on above the newest version that this store holds, however far ahead it is: the wall clock may have stepped back
  // since it was stamped. Before the first stamp.
  void resume_after(const Version& newest) noexcept { last_.store(newest.tick().bits(), std::memory_order_relaxed); }

  // How far the clock leads the wall clock: 0 when it follows it, large after the wall clock stepped back.
  [[nodiscard]] std::int64_t lead_ms() const noexcept;

 private:
  const TimeSource& time_;
  std::atomic<std::uint64_t> last_{0};  // Tick bits
};

}  // namespace armazem
