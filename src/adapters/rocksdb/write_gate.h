// Decides whether a write may be tried, and brings the database back after one has failed.
//
// The difference that matters: a write refused here has certainly had no effect; one that RocksDB began and could not
// end may be in the log or not. After such a failure RocksDB accepts nothing until it was resumed, which first writes
// the memtables out and starts a new log, so the doubtful end of the old one is left behind.
//
// Thread rule: `admit` and `failed` on the write thread; the rest on any.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "adapters/rocksdb/counters.h"
#include "adapters/rocksdb/disk_space.h"
#include "core/result.h"
#include "core/time_source.h"

namespace armazem::rocks {

// The error that stops writes, as RocksDB's background threads and our write thread report it.
class FaultBoard {
 public:
  void raise(Error error);
  void clear();
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  [[nodiscard]] std::optional<Error> current() const;

 private:
  std::atomic<bool> raised_{false};
  mutable std::mutex mutex_;
  std::optional<Error> error_;  // guarded by mutex_
};

// Reports the background errors after which RocksDB refuses writes.
[[nodiscard]] std::shared_ptr<rocksdb::EventListener> make_fault_listener(std::shared_ptr<FaultBoard> board);

class WriteGate {
 public:
  // All but `board` must outlive the gate.
  WriteGate(std::shared_ptr<FaultBoard> board, DiskSpace& disk, const TimeSource& time, WriteCounters& counters);

  // Before a write. Tries to bring the database back when it is due; an error means that nothing was done.
  [[nodiscard]] Result<void> admit(rocksdb::DB& db);
  // After a write that RocksDB could not end.
  [[nodiscard]] Error failed(const rocksdb::Status& status);

  // What keeps writes from being accepted; nullopt when nothing does.
  [[nodiscard]] std::optional<Error> trouble() const;
  // True when `admit` would try to bring the database back now.
  [[nodiscard]] bool recovery_due() const;

 private:
  [[nodiscard]] Result<void> recover(rocksdb::DB& db);

  std::shared_ptr<FaultBoard> board_;
  DiskSpace& disk_;
  const TimeSource& time_;
  WriteCounters& counters_;
  MonotonicClock::duration backoff_;                                // write thread only
  std::atomic<MonotonicClock::rep> next_attempt_{0};                // ticks of MonotonicTime
};

}  // namespace armazem::rocks
