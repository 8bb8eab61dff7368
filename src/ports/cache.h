// Cache: a fast copy of records for reads. A hint, never the truth. Adapters: Redis Cluster, memory (tests, simulation).
//
// Every entry has a hard time to live, which is the bound of how old an answer from the cache may be. Versions decide: an
// entry is only ever replaced by a newer one. A reader that missed gets a lease and may fill with it; any put of the key
// destroys the lease, so a slow reader cannot bring an old record back (Nishtala et al., 'Scaling Memcache at Facebook',
// NSDI 2013). After a failover of a shard, entries written before it count as misses, because asynchronous replication may
// have lost newer ones.
//
// Thread rule: every method may be called from any executor; a returned task resumes its awaiter on the awaiter's own
// executor. References and spans must stay alive until the task has ended.
// Errors: unavailable (down, breaker open), overloaded, deadline_exceeded. None is ever a reason to fail a request: the
// caller goes to the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "core/key.h"
#include "core/record.h"
#include "core/result.h"
#include "core/task.h"

namespace armazem {

// The right to fill one key after a miss. Opaque to callers.
struct Lease {
  std::uint64_t token = 0;
};

struct CacheLookup {
  // A hit: the record with an empty history. A tombstone says that the key is known to be absent; its version is the
  // delete's, or nil when there was no record at all.
  std::optional<Record> record;
  // With a hit: since before the record was written to the store, or since the lease of its fill, which is before it was read.
  std::uint64_t age_ms = 0;
  // A miss with the right to fill. A miss without one: another reader is loading this key at the moment.
  std::optional<Lease> lease;
};

struct CacheWrite {
  enum class Mode : std::uint8_t {
    put,           // create the entry, or replace an older one; of a record that is too large: remove_older
    replace_only,  // replace an older one, create nothing: for what was read some time ago
    remove_older,  // remove an entry older than record.version; the rest of the record is not looked at
  };
  Key key;
  Record record;  // history is ignored
  Mode mode = Mode::put;
  // A moment at which nothing newer than this record had been acknowledged: before it was written to the store, or before it
  // was read there. The entry's life begins then, however late it is told; the default is now. One that would have ended
  // already only removes what is older.
  MonotonicTime since = MonotonicTime::max();

  [[nodiscard]] std::chrono::milliseconds age(MonotonicTime now) const noexcept {
    return since >= now ? std::chrono::milliseconds(0) : std::chrono::ceil<std::chrono::milliseconds>(now - since);
  }
};

struct CacheHealth {
  bool ok = false;     // false when any shard cannot be reached
  std::string detail;  // for people: "3 of 3 shards", "shard 10.0.0.2:6379: connection refused"
};

class Cache {
 public:
  virtual ~Cache() = default;

  // A hit costs one round trip; a miss takes out a lease on the way if nobody has one.
  virtual Task<Result<CacheLookup>> get(const Key& key, Deadline deadline) = 0;

  // Stores what was read from the store after `lease` was granted; nullopt: there is no record. False: the lease had been
  // destroyed or had run out, or the record may not be cached (too large, expired); nothing was changed.
  virtual Task<Result<bool>> fill(const Key& key, const std::optional<Record>& record, Lease lease,
                                  Deadline deadline) = 0;

  // Each write by its mode; in every mode a lease of the key is destroyed. Writes of one key may repeat. On an error any
  // of them may have happened.
  virtual Task<Result<void>> write(std::span<const CacheWrite> writes, Deadline deadline) = 0;

  // Cheap; never waits.
  [[nodiscard]] virtual CacheHealth health() const = 0;
};

}  // namespace armazem
