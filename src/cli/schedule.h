// When each request of a run should start, and when there are no more.
//
// With a rate the start of request i is fixed before the run: begin + i / rate. Whoever takes it may be late, because all
// connections wait for answers; the latency is counted from the time taken here all the same. A server that stalls is so
// seen by every request that was due meanwhile, not only by those few that were on their way ('coordinated omission', Gil
// Tene; wrk2 does the same).
//
// Thread rule: `take` and `stop` from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "cli/bench_options.h"
#include "core/deadline.h"

namespace armazem::cli {

class Schedule {
 public:
  // What starts before `measured` is warm-up: it counts neither for the results nor for options.count.
  Schedule(const BenchOptions& options, MonotonicTime begin);

  // The next request's intended start: with a rate perhaps in the future, without one `now`. nullopt: the run is over.
  [[nodiscard]] std::optional<MonotonicTime> take(MonotonicTime now);
  // No more from now on.
  void stop(MonotonicTime now);

  [[nodiscard]] MonotonicTime begin() const noexcept { return begin_; }
  [[nodiscard]] MonotonicTime measured() const noexcept { return measured_; }
  // MonotonicTime::max() when a count ends the run.
  [[nodiscard]] MonotonicTime end() const noexcept { return end_.load(std::memory_order_relaxed); }
  // With a rate: requests that were due before the end and that nobody was free to send.
  [[nodiscard]] std::uint64_t never_sent() const;

 private:
  [[nodiscard]] MonotonicTime start_of(std::uint64_t ticket) const;
  [[nodiscard]] std::uint64_t due_before(MonotonicTime time) const;

  const double rate_;
  const MonotonicTime begin_;
  const MonotonicTime measured_;
  const std::uint64_t count_;
  const std::uint64_t warm_up_tickets_;
  std::atomic<MonotonicTime> end_;
  std::atomic<std::uint64_t> tickets_{0};
};

}  // namespace armazem::cli
