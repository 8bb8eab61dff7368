#include "adapters/rocksdb/engine_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>

#include <algorithm>

namespace armazem::rocks {
namespace {

constexpr int open_files_max = 512;  // leaves most of the usual 1,024 descriptors to connections
constexpr double bloom_bits_per_key = 10;  // 1 % false positives
constexpr std::size_t table_bytes = std::size_t{64} << 20;

rocksdb::CompressionType best_compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  const bool has_lz4 = std::ranges::find(known, rocksdb::kLZ4Compression) != known.end();
  return has_lz4 ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
}

rocksdb::BlockBasedTableOptions table_options(const Memory& memory) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(bloom_bits_per_key));
  table.whole_key_filtering = true;
  // Otherwise indexes and filters would lie outside of every bound.
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  // A hash in each block: point reads are what this store does all day.
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  table.format_version = 5;
  return table;
}

rocksdb::ColumnFamilyOptions family_options(const RocksdbOptions& options, const Memory& memory) {
  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(memory)));
  family.compression = best_compression();
  // Half, so that one buffer can fill while the other is being flushed.
  family.write_buffer_size = std::max<std::size_t>(options.write_buffer_bytes / 2, std::size_t{64} << 10);
  family.max_write_buffer_number = 3;
  family.target_file_size_base = table_bytes;
  family.level_compaction_dynamic_level_bytes = true;
  family.paranoid_file_checks = false;  // would read every new table once more
  return family;
}

// Every write first reads what it replaces, mostly something that is not in the write buffer: a filter answers that
// without a walk through the buffer's skip list (a third off a batch of 64).
rocksdb::ColumnFamilyOptions records_family_options(const RocksdbOptions& options, const Memory& memory) {
  rocksdb::ColumnFamilyOptions family = family_options(options, memory);
  family.memtable_whole_key_filtering = true;
  family.memtable_prefix_bloom_size_ratio = 0.05;  // of the buffer
  return family;
}

// Purge deletes from the front of its family; a table of which much is deleted is compacted at once, or every step
// would walk over what earlier steps removed.
rocksdb::ColumnFamilyOptions purge_family_options(const RocksdbOptions& options, const Memory& memory) {
  constexpr std::size_t window = 1024;
  constexpr std::size_t deletions_in_window = 512;
  rocksdb::ColumnFamilyOptions family = family_options(options, memory);
  family.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(window, deletions_in_window));
  return family;
}

// Written at its end, read near its end, dropped at its front: whole tables go, the oldest first, once all of them are
// larger than the bound (FIFO compaction). So the bound costs no write and no rewriting.
rocksdb::ColumnFamilyOptions changes_family_options(const RocksdbOptions& options, const Memory& memory) {
  constexpr std::size_t tables_wanted = 32;  // at the bound: each reading looks into the index of every one
  rocksdb::BlockBasedTableOptions table = table_options(memory);
  table.filter_policy = nullptr;  // nobody asks for one entry
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinarySearch;
  rocksdb::ColumnFamilyOptions family = family_options(options, memory);
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = std::clamp<std::size_t>(options.change_log_bytes_max / tables_wanted,
                                                     std::size_t{64} << 10, family.write_buffer_size);
  family.compaction_style = rocksdb::kCompactionStyleFIFO;
  family.compaction_options_fifo.max_table_files_size = options.change_log_bytes_max;
  // Small tables, as restarts leave them, are not put together: RocksDB 7.8 then lost the oldest changes after some power
  // losses (tests/crash/power_loss_test.cc found it).
  family.compaction_options_fifo.allow_compaction = false;
  family.ttl = 0;
  family.num_levels = 1;
  family.level_compaction_dynamic_level_bytes = false;
  return family;
}

}  // namespace

Memory make_memory(const RocksdbOptions& options) {
  Memory memory;
  memory.cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  memory.write_buffers = std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes, memory.cache);
  return memory;
}

rocksdb::DBOptions database_options(const RocksdbOptions& options, const Memory& memory) {
  rocksdb::DBOptions database;
  database.write_buffer_manager = memory.write_buffers;
  database.paranoid_checks = true;
  // The end of a log that a power loss tore off was never acknowledged; damage anywhere else must not pass unseen.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // A log that is missing as a whole would else look like a database that was never written.
  database.track_and_verify_wals_in_manifest = true;
  // `purge` and `meta` change rarely; without a bound their oldest entry would keep every log since. Bounds replay too, to
  // about a second.
  database.max_total_wal_size = 4 * options.write_buffer_bytes;
  database.avoid_flush_during_shutdown = true;  // Engine does it, where it can
  database.max_open_files = open_files_max;
  database.bytes_per_sync = std::uint64_t{1} << 20;  // no burst of writeback in front of a log sync
  // After an error that stops writes the store opens the database again: see write_gate.h.
  database.max_bgerror_resume_count = 0;
  database.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  database.keep_log_file_num = 2;
  database.max_log_file_size = std::size_t{1} << 20;
  database.max_manifest_file_size = std::uint64_t{4} << 20;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families(const RocksdbOptions& options, const Memory& memory) {
  const rocksdb::ColumnFamilyOptions plain = family_options(options, memory);
  return {{rocksdb::kDefaultColumnFamilyName, plain},
          {records_family, records_family_options(options, memory)},
          {purge_family, purge_family_options(options, memory)},
          {changes_family, changes_family_options(options, memory)},
          {meta_family, plain}};
}

}  // namespace armazem::rocks
