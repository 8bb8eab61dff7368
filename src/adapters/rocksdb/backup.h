// A copy of a data directory while a server works in it, or while none does.
//
// How: the directory is opened as a RocksDB secondary, which takes no lock and changes nothing in it; tables that the
// server deletes meanwhile stay readable, because they are held open. All records of one moment are then written into a
// new database. That moment is not before the call, so the copy has every write that was acknowledged before it.
// The change log is not copied: a database that is put back to an earlier moment gives the same positions to other
// changes, so a copy begins a log of its own, and watchers are told that theirs is gone.
#pragma once

#include <cstdint>
#include <string>

#include "adapters/rocksdb/rocksdb_store.h"
#include "core/result.h"

namespace armazem {

struct BackupReport {
  std::uint64_t records = 0;  // tombstones included
  std::uint64_t bytes = 0;    // of keys and records, before compression
};

// `to` must not exist or be empty. It appears, complete and synced, only when all is well; until then the copy is
// called `to`.partial, and one that an earlier try left over is replaced. Every block's checksum is checked. Fails with
// the errors of RocksdbStore::open, and as storage_full. Blocks; reads what the directory holds once.
[[nodiscard]] Result<BackupReport> back_up(const RocksdbOptions& from, const std::string& to);

}  // namespace armazem
