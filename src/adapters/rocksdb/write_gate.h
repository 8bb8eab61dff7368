// Decides whether a write may be tried, and brings the database back after one has failed.
//
// The difference that matters: a write refused here has certainly had no effect; one that RocksDB began and could not
// end may be in the log or not.
//
// After such a failure the database is closed and opened again, once there is room: what a restart would do, and what
// the tests cut the power for. Until then reads go on in the old one. DB::Resume looks like less, but RocksDB 7.8 was
// seen to wait in it for ever, and to abort when it met the log that had failed (tests/contract/
// rocksdb_disk_full_test.cc, a few runs in a hundred).
//
// Thread rule: `trouble` and `recovery_due` from any thread; the rest on the write thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "adapters/rocksdb/counters.h"
#include "adapters/rocksdb/disk_space.h"
#include "adapters/rocksdb/engine_slot.h"
#include "adapters/rocksdb/fault_board.h"
#include "core/result.h"
#include "core/time_source.h"

namespace armazem::rocks {

class WriteGate {
 public:
  // All must outlive the gate.
  WriteGate(const RocksdbOptions& options, EngineSlot& slot, DiskSpace& disk, const TimeSource& time,
            WriteCounters& counters);

  // The first opening; see RocksdbStore::open.
  [[nodiscard]] Result<void> open();
  // Before a write. Tries to bring the database back when that is due; an error means that nothing was done.
  [[nodiscard]] Result<void> admit();
  // After a write that RocksDB could not end.
  [[nodiscard]] Error failed(const rocksdb::Status& status);
  // Before the end.
  void close();

  // What keeps writes from being accepted; nullopt when nothing does.
  [[nodiscard]] std::optional<Error> trouble() const;
  // True when `admit` would try to bring the database back now.
  [[nodiscard]] bool recovery_due() const;

 private:
  [[nodiscard]] bool room_for_recovery() const;
  void reopen();

  const RocksdbOptions options_;
  EngineSlot& slot_;
  DiskSpace& disk_;
  const TimeSource& time_;
  WriteCounters& counters_;
  const std::shared_ptr<FaultBoard> board_ = std::make_shared<FaultBoard>();
  // Memtables that are still to be flushed, as of the last write near the reserve: a flush must always find room.
  std::atomic<std::uint64_t> unwritten_bytes_{0};
  MonotonicClock::duration backoff_;  // write thread only
  std::atomic<MonotonicClock::rep> next_attempt_{0};  // ticks of MonotonicTime
};

}  // namespace armazem::rocks
