// Counters behind RocksdbFigures. Any thread may count and read; sums are not a snapshot.
#pragma once

#include <sched.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "adapters/rocksdb/figures.h"
#include "core/apply.h"

namespace armazem::rocks {

using Counter = std::atomic<std::uint64_t>;

inline void count(Counter& counter, std::uint64_t by = 1) noexcept { counter.fetch_add(by, std::memory_order_relaxed); }

// One cache line per processor, because every request counts here.
class ShardedCounter {
 public:
  void add() noexcept { count(shards_[static_cast<unsigned>(sched_getcpu()) % shards_.size()].value); }
  [[nodiscard]] std::uint64_t sum() const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) Shard {
    Counter value{0};
  };
  std::array<Shard, 16> shards_;
};

struct ReadCounters {
  ShardedCounter gets;
  ShardedCounter misses;
  Counter handed_over{0};
  Counter refused{0};
};

struct WriteCounters {
  Counter batches{0};
  Counter mutations{0};
  std::array<Counter, std::tuple_size_v<decltype(RocksdbFigures::by_verdict)>> by_verdict{};
  std::array<Counter, std::tuple_size_v<decltype(RocksdbFigures::by_effect)>> by_effect{};
  Counter replayed{0};
  Counter purged{0};
  Counter failures{0};
  Counter recoveries{0};
  std::array<Counter, std::tuple_size_v<decltype(SyncHistogram::counts)>> sync{};
  Counter sync_ns{0};

  void add(const Outcome& outcome) noexcept;
  void add_sync(std::chrono::nanoseconds took) noexcept;
  void read_into(RocksdbFigures& figures) const noexcept;
};

}  // namespace armazem::rocks
