#include "cli/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace armazem::cli {
namespace {

constexpr std::uint64_t no_bound = std::numeric_limits<std::uint64_t>::max() / 2;  // room for the warm-up's tickets

using Nanoseconds = std::chrono::duration<double, std::nano>;

MonotonicTime end_of(const BenchOptions& options, MonotonicTime measured) {
  return options.duration.count() == 0 ? MonotonicTime::max() : measured + options.duration;
}

}  // namespace

Schedule::Schedule(const BenchOptions& options, MonotonicTime begin)
    : rate_(options.rate),
      begin_(begin),
      measured_(begin + options.warm_up),
      count_(options.count == 0 ? no_bound : options.count),
      warm_up_tickets_(options.rate == 0 ? 0 : due_before(measured_)),
      end_(end_of(options, measured_)) {}

std::optional<MonotonicTime> Schedule::take(MonotonicTime now) {
  if (now >= end()) return std::nullopt;
  if (rate_ == 0) {
    if (now >= measured_ && tickets_.fetch_add(1, std::memory_order_relaxed) >= count_) return std::nullopt;
    return now;
  }
  const std::uint64_t ticket = tickets_.fetch_add(1, std::memory_order_relaxed);
  if (ticket >= warm_up_tickets_ && ticket - warm_up_tickets_ >= count_) return std::nullopt;
  const MonotonicTime start = start_of(ticket);
  if (start >= end()) return std::nullopt;
  return start;
}

void Schedule::stop(MonotonicTime now) { end_.store(std::min(now, end()), std::memory_order_relaxed); }

std::uint64_t Schedule::never_sent() const {
  if (rate_ == 0 || end() == MonotonicTime::max()) return 0;
  const std::uint64_t taken = tickets_.load(std::memory_order_relaxed);
  const std::uint64_t wanted = std::min(due_before(end()), warm_up_tickets_ + count_);
  return wanted > taken ? wanted - taken : 0;
}

MonotonicTime Schedule::start_of(std::uint64_t ticket) const {
  const Nanoseconds offset(1e9 * static_cast<double>(ticket) / rate_);
  return begin_ + std::chrono::duration_cast<MonotonicClock::duration>(offset);
}

std::uint64_t Schedule::due_before(MonotonicTime time) const {
  const double ns = std::max(0.0, static_cast<double>((time - begin_).count()));
  return static_cast<std::uint64_t>(std::ceil(ns * rate_ / 1e9));
}

}  // namespace armazem::cli
