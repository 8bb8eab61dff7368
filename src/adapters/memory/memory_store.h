// Store in a std::map, for tests and for the simulation: the port's contract in its plainest form, nothing durable.
//
// Every task is ready when it is returned. Thread rule: any thread, one mutex.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "core/mutex.h"
#include "core/time_source.h"
#include "ports/changes.h"
#include "ports/store.h"

namespace armazem {

class MemoryStore final : public Store, public ChangeLog {
 public:
  // `time` serves deadlines only and must outlive the store.
  explicit MemoryStore(const TimeSource& time, std::size_t changes_kept = limits::changes_kept);

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                           Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<StoreHealth> health(Deadline deadline) override;

  Task<Result<ChangePage>> read_changes(ChangesRequest request, Deadline deadline) override;
  Task<Result<ChangeLogState>> change_log_state(Deadline deadline) override;

 private:
  void log(const Key& key, const Record& record) REQUIRES(mutex_);

  const TimeSource& time_;
  const std::size_t changes_kept_;
  const std::string log_id_;
  Mutex mutex_;
  std::map<Key, Record> records_ GUARDED_BY(mutex_);
  std::deque<Change> changes_ GUARDED_BY(mutex_);  // positions follow each other without a gap
  std::size_t changes_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t last_position_ GUARDED_BY(mutex_) = 0;
};

}  // namespace armazem
