// Removes old tombstones and expired records in small steps, far from any request.
#pragma once

#include <atomic>
#include <chrono>

#include "core/limits.h"
#include "core/time_source.h"
#include "ports/store.h"

namespace armazem {

struct PurgeOptions {
  std::chrono::milliseconds retention = limits::retention_default;
  std::chrono::milliseconds interval{60'000};
  std::size_t step = 500;
};

// Thread rule: one executor. `due` and `run` are called by the loop that owns the timer.
class Purger {
 public:
  Purger(Store& store, const TimeSource& time, PurgeOptions options) noexcept
      : store_(store), time_(time), options_(options), next_(time.now() + options.interval) {}

  [[nodiscard]] bool due(MonotonicTime now) const noexcept { return !running_ && now >= next_; }
  // One step; the next is due at once while there is more, else after the interval. Errors wait for the next turn.
  Task<void> run();
  [[nodiscard]] std::uint64_t removed() const noexcept { return removed_.load(std::memory_order_relaxed); }

 private:
  Store& store_;
  const TimeSource& time_;
  const PurgeOptions options_;
  MonotonicTime next_;
  bool running_ = false;
  std::atomic<std::uint64_t> removed_{0};
};

}  // namespace armazem
