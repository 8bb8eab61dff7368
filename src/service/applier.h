// The road of a batch into the system of record, the same for a server's own batches and for a worker's.
//
// Order of effects: the store's transaction has committed, then the cache has been told, then `apply` returns. Whoever
// answers a client or acknowledges a message does it after that: store, cache, reply, acknowledge. The other way round, a
// crash in between would leave an answer without a write, or an old entry behind a newer answer.
//
// The cache is a hint: when it cannot be told within `cache_timeout`, the batch goes on and the entry's time to live
// bounds how long an old value may be seen. What the cache is told counts from before the transaction: a worker that was
// paused in between may bring a record that has been replaced, but not give it a whole life.
//
// Thread rule: any executor.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "core/time_source.h"
#include "ports/cache.h"
#include "ports/store.h"

namespace armazem {

struct ApplierOptions {
  std::chrono::milliseconds cache_timeout{250};  // for both tries together
};

class Applier {
 public:
  // All must outlive the applier; `cache` may be null.
  Applier(Store& store, Cache* cache, const TimeSource& time, ApplierOptions options = {}) noexcept
      : store_(store), cache_(cache), time_(time), options_(options) {}

  // As Store::apply. The vector is taken over; its values move into the records.
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline);

  // Batches whose cache entries could not be written: they stay old for a time to live at most.
  [[nodiscard]] std::uint64_t cache_failures() const noexcept { return cache_failures_.load(std::memory_order_relaxed); }

 private:
  Task<Result<std::vector<Outcome>>> apply_and_cache(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline);
  Task<void> tell_cache(std::vector<CacheWrite> writes);

  Store& store_;
  Cache* const cache_;
  const TimeSource& time_;
  const ApplierOptions options_;
  std::atomic<std::uint64_t> cache_failures_{0};
};

}  // namespace armazem
