// Store in a std::map, for tests and for the simulation: the port's contract in its plainest form, nothing durable.
//
// Every task is ready when it is returned. Thread rule: any thread, one mutex.
#pragma once

#include <map>
#include <string>

#include "core/mutex.h"
#include "core/time_source.h"
#include "ports/store.h"

namespace armazem {

class MemoryStore final : public Store {
 public:
  // `time` serves deadlines only and must outlive the store.
  explicit MemoryStore(const TimeSource& time) : time_(time) {}

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                           Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<StoreHealth> health(Deadline deadline) override;

 private:
  const TimeSource& time_;
  Mutex mutex_;
  std::map<Key, Record> records_ GUARDED_BY(mutex_);
};

}  // namespace armazem
