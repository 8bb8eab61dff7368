#include "adapters/rocksdb/backup.h"

#include <rocksdb/write_batch.h>

#include <filesystem>
#include <system_error>

#include "adapters/rocksdb/directory.h"
#include "adapters/rocksdb/engine.h"
#include "adapters/rocksdb/follower.h"
#include "adapters/rocksdb/status.h"

namespace armazem {
namespace {

namespace fs = std::filesystem;
using namespace rocks;

constexpr std::size_t batch_bytes = std::size_t{1} << 20;
// In the order of `families`; `meta` is written by the creation.
constexpr std::size_t records_at = 1;
constexpr std::size_t purge_at = 2;

tl::unexpected<Error> unfit(const std::string& path, const std::string& why) {
  return fail(ErrorCode::precondition, "'" + path + "' " + why);
}

Result<void> check_source(const std::string& path) {
  const auto state = examine_directory(path);
  if (!state) return fail(state.error());
  if (*state != DirectoryState::database) return unfit(path, "holds no Armazém database");
  return {};
}

Result<void> check_target(const std::string& path) {
  std::error_code error;
  if (path.empty()) return fail(ErrorCode::precondition, "the path of the backup is empty");
  if (!fs::exists(path, error) && !error) return {};
  if (!error && fs::is_directory(path, error) && fs::is_empty(path, error) && !error) return {};
  return unfit(path, "exists and is not an empty directory. Choose a new one for each backup");
}

Result<void> copy_family(rocksdb::Iterator& from, rocksdb::DB& db, rocksdb::ColumnFamilyHandle* into, BackupReport& report) {
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;  // flushed and synced at the end, before the copy gets its name
  rocksdb::WriteBatch batch;
  const auto write = [&] {
    const auto status = db.Write(unlogged, &batch);
    batch.Clear();
    return status;
  };
  rocksdb::Status status;
  for (from.SeekToFirst(); from.Valid() && status.ok(); from.Next()) {
    status = batch.Put(into, from.key(), from.value());
    ++report.records;
    report.bytes += from.key().size() + from.value().size();
    if (status.ok() && batch.GetDataSize() >= batch_bytes) status = write();
  }
  if (status.ok()) status = from.status();
  if (status.ok()) status = write();
  if (!status.ok()) return fail(to_error(status, "copying"));
  return {};
}

Result<BackupReport> copy(const RocksdbOptions& from, const std::string& into) {
  // RocksDB's own log of the reading side; inside, so that it goes with the rest.
  const std::string scratch = into + "/reader";
  const auto made = create_directory(scratch);
  if (!made) return fail(made.error());
  const auto source = Follower::open(from, scratch);
  if (!source) return fail(source.error());
  if (auto ours = (*source)->check_format(); !ours) return fail(std::move(ours.error()));
  RocksdbOptions options = from;
  options.path = into + "/data";
  const auto target = Engine::open(options, nullptr);
  if (!target) return fail(target.error());
  BackupReport report;
  BackupReport purge_entries;
  const auto records = (*source)->read(records_at);
  if (auto done = copy_family(*records, (*target)->db(), (*target)->records(), report); !done) return fail(std::move(done.error()));
  const auto purge = (*source)->read(purge_at);
  if (auto done = copy_family(*purge, (*target)->db(), (*target)->purge_entries(), purge_entries); !done) {
    return fail(std::move(done.error()));
  }
  const auto status = (*target)->db().Flush(rocksdb::FlushOptions(), {(*target)->records(), (*target)->purge_entries()});
  if (!status.ok()) return fail(to_error(status, "writing the backup out"));
  return report;
}

// RocksDB has synced the files and their directory; the name is what is left.
Result<void> give_name(const std::string& partial, const std::string& to) {
  std::error_code error;
  fs::rename(partial + "/data", to, error);
  if (error) return unfit(to, "cannot be made: " + error.message());
  fs::remove_all(partial, error);
  const fs::path parent = fs::absolute(to).lexically_normal().parent_path();
  return sync_directory(parent);
}

}  // namespace

Result<BackupReport> back_up(const RocksdbOptions& from, const std::string& to) {
  if (auto fit = check_source(from.path); !fit) return fail(std::move(fit.error()));
  if (auto fit = check_target(to); !fit) return fail(std::move(fit.error()));
  fs::path named = fs::absolute(to).lexically_normal();
  if (!named.has_filename()) named = named.parent_path();
  const std::string partial = named.string() + ".partial";
  std::error_code error;
  fs::remove_all(partial, error);
  if (error) return unfit(partial, "is of an earlier try and cannot be removed: " + error.message());
  auto report = copy(from, partial);
  if (report) {
    if (auto done = give_name(partial, named.string()); !done) report = fail(std::move(done.error()));
  }
  if (!report) fs::remove_all(partial, error);
  return report;
}

}  // namespace armazem
