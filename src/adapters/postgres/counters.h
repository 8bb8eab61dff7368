// Counters behind PostgresFigures. Any thread may count and read; sums are not a snapshot.
#pragma once

#include <atomic>
#include <chrono>

#include "adapters/postgres/failure.h"
#include "adapters/postgres/figures.h"
#include "core/apply.h"

namespace armazem::pg {

using Counter = std::atomic<std::uint64_t>;

inline void count(Counter& counter, std::uint64_t by = 1) noexcept { counter.fetch_add(by, std::memory_order_relaxed); }
inline void uncount(Counter& counter, std::uint64_t by = 1) noexcept {
  counter.fetch_sub(by, std::memory_order_relaxed);
}

struct Counters {
  Counter transactions{0};
  Counter transactions_unchanged{0};
  Counter rows_inserted{0};
  Counter rows_updated{0};
  Counter transaction_ns{0};
  Counter mutations{0};
  std::array<Counter, verdict_count> by_verdict{};
  std::array<Counter, std::tuple_size_v<decltype(PostgresFigures::by_effect)>> by_effect{};
  Counter replayed{0};
  Counter retries{0};
  Counter batches_halved{0};
  Counter commits_ambiguous{0};
  std::array<Counter, meanings> failures{};
  Counter gets{0};
  Counter get_misses{0};
  Counter get_rounds{0};
  Counter get_round_ns{0};
  Counter scans{0};
  Counter purged{0};
  Counter refused_overloaded{0};
  Counter timed_out{0};
  Counter connects{0};
  Counter connect_failures{0};
  Counter connections_open{0};
  Counter writes_waiting{0};
  Counter reads_waiting{0};

  void add(const Outcome& outcome) noexcept;
  void add(const Failure& failure) noexcept { count(failures[static_cast<std::size_t>(meaning_of(failure))]); }
  void add_time(Counter& sum, std::chrono::nanoseconds took) noexcept {
    count(sum, static_cast<std::uint64_t>(took.count()));
  }
  [[nodiscard]] PostgresFigures read() const noexcept;
};

}  // namespace armazem::pg
