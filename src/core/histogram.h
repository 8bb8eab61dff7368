// A histogram of durations with fixed bounds, for metrics.
//
// Thread rule: any thread; relaxed counters, so a reader may see a sum that is an observation behind its buckets.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace armazem {

class DurationHistogram {
 public:
  // Seconds; dense between 1 ms and 1 s, where a queued write lives, up to the backlog of a long outage.
  static constexpr std::array<double, 16> bounds_seconds{0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075,
                                                         0.1,   0.25,   0.5,   1.0,  5.0,  30.0,  300.0, 3600.0};

  void observe(std::chrono::microseconds duration) noexcept {
    const double seconds = static_cast<double>(duration.count()) * 1e-6;
    std::size_t slot = 0;
    while (slot < bounds_seconds.size() && seconds > bounds_seconds[slot]) ++slot;
    counts_[slot].fetch_add(1, std::memory_order_relaxed);
    const auto positive = duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
    microseconds_.fetch_add(positive, std::memory_order_relaxed);
  }
  // Observations in the slot alone (not cumulative); the last slot is for all beyond the last bound.
  [[nodiscard]] std::uint64_t count(std::size_t slot) const noexcept { return counts_[slot].load(std::memory_order_relaxed); }
  [[nodiscard]] double sum_seconds() const noexcept {
    return static_cast<double>(microseconds_.load(std::memory_order_relaxed)) * 1e-6;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds_seconds.size() + 1> counts_{};
  std::atomic<std::uint64_t> microseconds_{0};
};

}  // namespace armazem
