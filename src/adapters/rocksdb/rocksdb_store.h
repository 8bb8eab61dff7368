// Store on an embedded RocksDB: the default system of record, one directory, no other process.
//
// Threads: a get that finds everything in memory is answered on the caller's thread, without a lock of ours and without
// a coroutine frame. What may touch the disk runs on a few reader threads behind a bounded queue; every write runs on
// one write thread.
// Durability: `apply` answers after the write-ahead log was synced (fdatasync). A write that fails midway is answered
// outcome_unknown; from then on writes are refused, without effect, until the database could be opened again. That is
// tried by itself, before later writes and health checks. Reads go on meanwhile, and wait while it is being opened.
// Disk: below `reserve_bytes` of free space writes are refused as storage_full; removing is a write too, so the way out
// is more room, or purge by retention, which needs none to speak of.
// Closing: the destructor lets everything that waits on the store's own threads end, writes the memtables out and
// closes. Whoever called must still be there to be resumed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/rocksdb/figures.h"
#include "core/time_source.h"
#include "ports/changes.h"
#include "ports/store.h"

namespace rocksdb {
class FileSystem;
}

namespace armazem {

struct RocksdbOptions {
  std::string path;
  // Bounds what the database holds in memory: blocks, indexes, filters and write buffers together.
  std::size_t block_cache_bytes = std::size_t{256} << 20;
  // Part of the above. Larger means fewer, larger table files and a longer replay after a crash.
  std::size_t write_buffer_bytes = std::size_t{32} << 20;
  std::uint64_t reserve_bytes = std::uint64_t{128} << 20;
  // What the change log may take on the disk, compressed; beyond it the oldest changes go, many at once.
  std::uint64_t change_log_bytes_max = limits::change_log_bytes_max;
  std::size_t reader_threads = 2;
  // Reads that wait for a reader thread; beyond them a read is refused as overloaded.
  std::size_t readers_waiting_max = 1024;
  // For tests only: replaces the file system, to cut the power or to fail a sync.
  std::shared_ptr<rocksdb::FileSystem> test_file_system = nullptr;
};

class RocksdbStore final : public Store, public ChangeLog {
 public:
  // Creates the directory, or continues in one that is ours. All else is an error that names the path and what to do,
  // and changes no file: precondition for a foreign or newer directory, one in use, one that cannot be created or
  // written; data_damaged for a database whose files fail their checks. `time` must outlive the store. Blocks.
  static Result<std::unique_ptr<RocksdbStore>> open(const RocksdbOptions& options, const TimeSource& time);
  ~RocksdbStore() override;

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                           Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<StoreHealth> health(Deadline deadline) override;

  Task<Result<ChangePage>> read_changes(ChangesRequest request, Deadline deadline) override;
  Task<Result<ChangeLogState>> change_log_state(Deadline deadline) override;

  // The one thread that writes. A batcher that runs its loop here saves a hop per batch.
  [[nodiscard]] Executor& write_executor() noexcept;
  // Callable from any thread; costs some microseconds.
  [[nodiscard]] RocksdbFigures figures() const;

 private:
  struct Parts;
  explicit RocksdbStore(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace armazem
