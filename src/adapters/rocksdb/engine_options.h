// How RocksDB is set up: the one place with tuning in it, each setting with its reason.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/write_buffer_manager.h>

#include <memory>
#include <string>
#include <vector>

#include "adapters/rocksdb/rocksdb_store.h"

namespace armazem::rocks {

// RocksDB insists on a family `default`; it stays empty.
inline constexpr const char* records_family = "records";
inline constexpr const char* purge_family = "purge";  // see purge_index.h
inline constexpr const char* changes_family = "changes";  // see change_log.h
inline constexpr const char* meta_family = "meta";  // "format" -> decimal number; "change_log" -> the log's identity

struct Memory {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

// Write buffers are charged to the cache, so the cache's size bounds both.
[[nodiscard]] Memory make_memory(const RocksdbOptions& options);

[[nodiscard]] rocksdb::DBOptions database_options(const RocksdbOptions& options, const Memory& memory);

// In this order: default, records, purge, changes, meta. `meta` is made last: what has it, was made by us.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> families(const RocksdbOptions& options,
                                                                    const Memory& memory);

}  // namespace armazem::rocks
