// Whose database lies in a directory, and in which format: read without changing a file.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include "adapters/rocksdb/engine_options.h"
#include "core/result.h"

namespace armazem::rocks {

// Raised with every change that older programs could not read; see record_codec.h, purge_index.h and change_codec.h.
//   1   records, purge index
//   2   the change log; what has format 1 gets one when it is opened
inline constexpr int database_format = 2;

enum class FormatState {
  current,
  unfinished,  // our creation was cut short: no record is there, and it may be finished
};

// For a directory that holds a RocksDB database. Fails when it is in use, not ours, newer, or damaged.
[[nodiscard]] Result<FormatState> check_format(const RocksdbOptions& options, const rocksdb::DBOptions& database,
                                               const Memory& memory);

// Of an open database: fails when it is not ours, newer, or unreadable.
[[nodiscard]] Result<void> read_format(const std::string& path, rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta);

// Stages the format's number where it is another: once it is written, the database is ours.
[[nodiscard]] rocksdb::Status stage_format(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta,
                                           rocksdb::WriteBatch& batch);

// Why the database could not be opened, with the path and what to do.
[[nodiscard]] Error open_error(const std::string& path, const rocksdb::Status& status);

}  // namespace armazem::rocks
