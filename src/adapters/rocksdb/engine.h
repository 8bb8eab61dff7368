// The open database: what RocksDB hands out, closed in the right order. No behaviour of the store lives here.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <memory>

#include "adapters/rocksdb/engine_options.h"
#include "core/result.h"

namespace armazem::rocks {

class Engine {
 public:
  // See RocksdbStore::open. `listener` hears of background errors; may be null.
  static Result<std::unique_ptr<Engine>> open(const RocksdbOptions& options,
                                              std::shared_ptr<rocksdb::EventListener> listener);
  // What `open` had opened before: without looking at everything first.
  static Result<std::unique_ptr<Engine>> open_again(const RocksdbOptions& options,
                                                    std::shared_ptr<rocksdb::EventListener> listener);
  // For as long as `open_again` does not work: the log is replayed in memory only.
  static Result<std::unique_ptr<Engine>> open_for_reading(const RocksdbOptions& options);
  // Closes. No call may be running.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] rocksdb::DB& db() const noexcept { return *db_; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* records() const noexcept { return handles_[1]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* purge_entries() const noexcept { return handles_[2]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* changes() const noexcept { return handles_[3]; }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* meta() const noexcept { return handles_[4]; }
  // What a flush of all memtables would write at most.
  [[nodiscard]] std::uint64_t memtable_bytes() const { return memory_.write_buffers->memory_usage(); }
  // Before closing, so that the next start has no log to replay.
  void write_out() const;
  // What RocksDB itself knows: sizes and estimates.
  void read_into(RocksdbFigures& figures) const;

 private:
  explicit Engine(const RocksdbOptions& options);
  Result<void> open_database(const RocksdbOptions& options, bool create);
  // Writes what a database of this format begins with, where it is not there yet: at its creation, and when it was made
  // by an older program.
  [[nodiscard]] rocksdb::Status settle() const;

  std::unique_ptr<rocksdb::Env> env_;  // only with a test's file system
  Memory memory_;
  rocksdb::DBOptions settings_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;  // in the order of `families`
};

}  // namespace armazem::rocks
