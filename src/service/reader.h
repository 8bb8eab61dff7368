// Reads, at three levels (docs/api.md, 'Read'):
//
//   cached   a cache hit, else the store; no older than the cache's time to live
//   session  never older than a version that the client has seen
//   strong   linearizable: from the store; an older cache entry is replaced before the answer
//
// Without a cache every read is strong. The cache never fails a read: when it cannot answer, the store does; when the store
// cannot, cached keys are still served at the cached level.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/planted.h"
#include "core/time_source.h"
#include "ports/cache.h"
#include "ports/store.h"
#include "service/single_flight.h"

namespace armazem {

struct ReadRequest {
  bool strong = false;
  Version at_least;  // session level; nil: any
};

struct ReadAnswer {
  std::optional<Record> record;  // live; nullopt: absent, deleted or expired. From the cache: without its history
  bool from_cache = false;
  std::uint64_t age_ms = 0;  // from the cache: since it was read from, or written to, the store
};

struct ReaderOptions {
  std::chrono::milliseconds cache_timeout{100};
  // Misses that may be at the store at once; beyond, a read is refused. Protects the store when the whole cache is lost.
  std::size_t store_reads_max = 2'048;
  // A session read of a version that is still on its way through the queue waits so long for it.
  std::chrono::milliseconds session_wait{2'000};
  std::chrono::milliseconds session_poll{20};
  // False without a queue: whatever was answered is in the store, so nothing has to be waited for.
  bool writes_may_be_pending = false;
  // A key without a record satisfies a token older than this: what it named has been purged, not delayed.
  std::chrono::milliseconds retention = limits::retention_default;
};

class Reader {
 public:
  // All must outlive the reader; `cache` may be null.
  Reader(Store& store, Cache* cache, const TimeSource& time, ReaderOptions options = {}) noexcept
      : store_(store), cache_(cache), time_(time), options_(options) {}

  // The task is ready, without a coroutine frame, when there is no cache and the store has the record in memory. `key`
  // must stay alive until the task has ended. Errors are the store's; not_yet_visible: session level, the version has not
  // arrived in time.
  Task<Result<ReadAnswer>> read(const Key& key, ReadRequest request, Deadline deadline);

  struct Figures {
    std::uint64_t hits = 0;
    std::uint64_t negative_hits = 0;  // the cache knew that there is nothing
    std::uint64_t misses = 0;
    std::uint64_t too_old = 0;  // hits that a session could not use
    std::uint64_t cache_errors = 0;
    std::uint64_t fills = 0;
    std::uint64_t fills_refused = 0;  // a newer write had destroyed the lease
    std::uint64_t store_reads = 0;
    std::uint64_t refused = 0;  // store_reads_max
    std::uint64_t not_yet_visible = 0;
  };
  [[nodiscard]] Figures figures() const noexcept;

 private:
  using Found = Result<std::optional<Record>>;

  Task<Result<ReadAnswer>> finish(Task<Found> pending);
  Task<Result<ReadAnswer>> read_cached(const Key& key, ReadRequest request, Deadline deadline);
  Task<Result<ReadAnswer>> read_strong(const Key& key, ReadRequest request, Deadline deadline);
  // Looks at the store until the record is new enough; an older cache entry is replaced.
  Task<Found> read_at_least(const Key& key, Version at_least, Deadline deadline);
  Task<Found> load(const Key& key, std::optional<Lease> lease, Deadline deadline);
  Task<Found> read_store(const Key& key, Deadline deadline);
  Task<void> repair(const Key& key, const std::optional<Record>& record, MonotonicTime since, Deadline deadline);
  [[nodiscard]] Result<ReadAnswer> live_only(Found found) const;
  [[nodiscard]] bool new_enough(const std::optional<Record>& record, const Version& at_least) const noexcept;
  [[nodiscard]] bool is_live(const Record& record) const noexcept;
  [[nodiscard]] Deadline cache_deadline(Deadline deadline) const noexcept;

  Store& store_;
  Cache* const cache_;
  const TimeSource& time_;
  const ReaderOptions options_;
  SingleFlight flights_;
  std::atomic<std::size_t> store_reads_now_{0};

  struct Counters {
    std::atomic<std::uint64_t> hits, negative_hits, misses, too_old, cache_errors, fills, fills_refused, store_reads,
        refused, not_yet_visible;
  };
  Counters counters_{};
#ifdef ARMAZEM_PLANTED_BUGS
  std::map<std::string, Found> read_before_;  // Bug::fill_from_stale_read
#endif
};

}  // namespace armazem
