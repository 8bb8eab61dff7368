// Request metrics, one shard per loop. Only the loop writes its shard (plain relaxed stores, no locked instruction);
// a scrape reads all shards from another thread and adds them up.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace armazem::http {

// A number with a single writing thread and any number of readers.
class Counter {
 public:
  void add(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Seconds; dense where a key-value store lives (50 µs to 10 ms), up to the write deadline.
inline constexpr std::array<double, 16> latency_bounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                       0.025,   0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   10.0};

class LatencyHistogram {
 public:
  void observe(std::uint64_t nanoseconds) noexcept;
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].read(); }  // not cumulative
  [[nodiscard]] double sum_seconds() const noexcept { return static_cast<double>(nanoseconds_.read()) * 1e-9; }

 private:
  std::array<Counter, latency_bounds.size() + 1> buckets_;
  Counter nanoseconds_;
};

// Why a connection or a request was turned away before it reached a handler.
enum class Rejection : std::uint8_t { connections, body_bytes, header_timeout, body_timeout, idle_timeout, write_timeout, malformed };
inline constexpr std::size_t rejection_count = 7;
[[nodiscard]] std::string_view to_string(Rejection reason) noexcept;

// Every status that we send; a slot each.
inline constexpr std::array<int, 26> known_statuses{200, 201, 202, 204, 206, 304, 308, 400, 401, 403, 404, 405, 408,
                                                    409, 412, 413, 414, 415, 416, 417, 428, 429, 431, 500, 501, 503};
inline constexpr std::size_t status_count = known_statuses.size() + 3;  // 504, 505, and anything else

[[nodiscard]] std::size_t status_slot(int status) noexcept;
[[nodiscard]] int status_of_slot(std::size_t slot) noexcept;

class alignas(64) LoopMetrics {
 public:
  void count(Route route, Method method, int status, std::uint64_t nanoseconds) noexcept;

  std::array<std::array<std::array<Counter, status_count>, method_count>, route_count> requests;
  std::array<std::array<LatencyHistogram, method_count>, route_count> latency;
  std::array<Counter, rejection_count> rejected;
  Counter connections;           // open now
  Counter accepted;              // since the start

  void reject(Rejection reason) noexcept { rejected[static_cast<std::size_t>(reason)].add(); }
};

}  // namespace armazem::http
