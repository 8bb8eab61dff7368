// What was measured: per operation, by outcome, and second by second.
//
// Each loop counts for itself and hands over at the end of each interval, so that a request takes no lock.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "cli/bench_options.h"
#include "cli/http_client.h"
#include "core/latency_histogram.h"

namespace armazem::cli {

inline constexpr std::chrono::seconds interval_length{1};

struct OperationStats {
  // Of all that was answered, whatever the status, and of what timed out, which took at least so long. Connections that
  // failed at once are not in it: they would make a broken server look fast.
  LatencyHistogram latency;
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;

  void add(const OperationStats& other);
};

// Outcome, such as "200", "503 store-unavailable" or "no answer in time" → how many.
using Outcomes = std::map<std::string, std::uint64_t>;

struct Stats {
  std::array<OperationStats, operation_count> operations;
  Outcomes successes;
  Outcomes errors;

  void add(const Stats& other);
  void clear();
  void answered(Operation operation, const HttpAnswer& answer, std::chrono::nanoseconds took);
  void failed(Operation operation, const std::string& why, bool timed_out, std::chrono::nanoseconds took);
  [[nodiscard]] OperationStats all() const;
};

// 2xx, 304, and a 404 for a key that is not there. Everything else is an error.
[[nodiscard]] bool is_success(Operation operation, int status) noexcept;

// One operation in one interval; a line of the CSV file.
struct SeriesRow {
  double seconds = 0;  // the end of the interval, from the begin of the measurement
  std::string operation;  // or "all"
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  double per_second = 0;
  double mean_ms = 0, p50_ms = 0, p90_ms = 0, p99_ms = 0, p999_ms = 0, max_ms = 0;
};

// Puts together what the loops hand over.
//
// Thread rule: any thread.
class Collector {
 public:
  Collector(std::size_t loops, MonotonicTime measured) : next_(loops, 0), measured_(measured) {}

  // What `loop` counted since its last hand-over; that closes its interval `index`, and each one before.
  void hand_over(std::size_t loop, std::size_t index, const Stats& stats, MonotonicTime now);
  // Nothing more comes from that loop.
  void finish(std::size_t loop);

  [[nodiscard]] Stats total() const;
  [[nodiscard]] std::vector<SeriesRow> series() const;
  struct Progress {
    std::uint64_t requests = 0;  // in all complete intervals
    std::uint64_t errors = 0;
    SeriesRow latest;  // the last complete interval, all operations together
    MonotonicTime last_success;  // the end of the last interval with one, or the begin
  };
  [[nodiscard]] Progress progress() const;

 private:
  struct Interval {
    Stats stats;
    MonotonicTime end;
  };
  void close_complete();
  void close(const Interval& interval);

  mutable std::mutex mutex_;
  std::vector<std::size_t> next_;  // guarded by mutex_, as all below: by loop, the interval that it is in
  std::map<std::size_t, Interval> open_;
  const MonotonicTime measured_;
  MonotonicTime previous_end_ = measured_;
  MonotonicTime last_success_ = measured_;
  Stats total_;
  std::vector<SeriesRow> series_;
};

}  // namespace armazem::cli
