// What the embedded store counts, as plain numbers for metrics.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace armazem {

// Not cumulative: counts[i] lies in (bounds[i - 1], bounds[i]], the last one above all bounds.
struct SyncHistogram {
  static constexpr std::array<double, 12> bounds_seconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                            0.01,   0.025,   0.05,   0.1,   0.25,   1.0};
  std::array<std::uint64_t, bounds_seconds.size() + 1> counts{};
  double sum_seconds = 0;
};

struct RocksdbFigures {
  // Since the store was opened.
  std::uint64_t batches = 0;                     // that were written; one sync each
  std::uint64_t mutations = 0;                   // that were decided
  std::array<std::uint64_t, 6> by_verdict{};     // index: Verdict
  std::array<std::uint64_t, 4> by_effect{};      // index: Effect; only freshly applied ones
  std::uint64_t replayed = 0;                    // applied before: redeliveries and retries
  std::uint64_t purged = 0;
  SyncHistogram sync;                            // write and sync of one batch
  std::uint64_t write_failures = 0;              // batches with an unknown outcome
  std::uint64_t recoveries = 0;                  // times that the database was brought back
  std::uint64_t gets = 0;
  std::uint64_t get_misses = 0;                  // no record
  std::uint64_t reads_handed_over = 0;           // needed a reader thread
  std::uint64_t reads_refused = 0;               // the reader threads' queue was full
  // Now.
  std::uint64_t block_cache_bytes = 0;
  std::uint64_t block_cache_bytes_max = 0;
  std::uint64_t memtable_bytes = 0;
  std::uint64_t live_data_bytes = 0;             // estimate
  std::uint64_t keys = 0;                        // estimate, tombstones included
  std::uint64_t free_bytes = 0;                  // on the disk
  std::uint64_t readers_waiting = 0;
  bool healthy = false;
};

}  // namespace armazem
