// Cache in a std::map, for tests and for the simulation: the port's contract in its plainest form, and the ways in which a
// real one fails, on command.
//
// Every task is ready when it is returned. Thread rule: any thread, one mutex.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "core/mutex.h"
#include "core/time_source.h"
#include "ports/cache.h"

namespace armazem {

struct MemoryCacheOptions {
  std::chrono::milliseconds ttl{60'000};
  std::chrono::milliseconds lease_ttl{2'000};
  std::size_t entry_bytes_max = std::size_t{1} << 20;  // larger records are not cached
};

class MemoryCache final : public Cache {
 public:
  // `time` serves deadlines, times to live and expiry; it must outlive the cache.
  explicit MemoryCache(const TimeSource& time, MemoryCacheOptions options = {}) : time_(time), options_(options) {}

  Task<Result<CacheLookup>> get(const Key& key, Deadline deadline) override;
  Task<Result<bool>> fill(const Key& key, const std::optional<Record>& record, Lease lease, Deadline deadline) override;
  Task<Result<void>> write(std::span<const CacheWrite> writes, Deadline deadline) override;
  [[nodiscard]] CacheHealth health() const override;

  // From now on every call ends with `error` and does nothing, until `recover`.
  void break_down(Error error);
  void recover();
  // Takes away whatever stands there, lease or entry, as a full cache does.
  void evict(const Key& key);
  // A replica takes over that has not seen the last `lost` changes: they are undone, as far as they are remembered
  // (undo_max), and whatever is then there is of an older epoch.
  void fail_over(std::size_t lost);
  [[nodiscard]] std::size_t size() const;  // leases and entries, those that have run out included

  static constexpr std::size_t undo_max = 1'024;

 private:
  struct Slot {
    std::optional<Lease> lease;  // else an entry
    Record record;
    std::uint64_t stored_wall_ms = 0;
    std::uint64_t epoch = 0;
    MonotonicTime ends{};
  };
  struct Granted {
    std::uint64_t wall_ms = 0;
    MonotonicTime at{};
  };

  [[nodiscard]] std::optional<Error> refusal(Deadline deadline) const REQUIRES(mutex_);
  // What counts: of this epoch, and not run out. Later ones are forgotten on the way.
  Slot* find(const Key& key) REQUIRES(mutex_);
  // nullopt: nothing to be stored, because it would live no longer or is too large.
  [[nodiscard]] std::optional<Slot> entry(const std::optional<Record>& record, Granted since) const REQUIRES(mutex_);
  void write_one(const CacheWrite& write) REQUIRES(mutex_);
  void set(const Key& key, std::optional<Slot> slot) REQUIRES(mutex_);

  const TimeSource& time_;
  const MemoryCacheOptions options_;
  mutable Mutex mutex_;
  std::map<Key, Slot> slots_ GUARDED_BY(mutex_);
  std::map<std::uint64_t, Granted> granted_ GUARDED_BY(mutex_);  // by token, for as long as a lease may live
  std::deque<std::pair<Key, std::optional<Slot>>> undo_ GUARDED_BY(mutex_);  // what stood there before, oldest change first
  std::uint64_t epoch_ GUARDED_BY(mutex_) = 1;
  std::uint64_t last_token_ GUARDED_BY(mutex_) = 0;
  std::optional<Error> broken_ GUARDED_BY(mutex_);
};

}  // namespace armazem
