#include "adapters/rocksdb/follower.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "adapters/rocksdb/format_check.h"
#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

namespace fs = std::filesystem;

// Files that vanish between a look at the manifest and their opening; and flushes that come in between.
constexpr int tries_max = 100;

// What changes with every flush and every new log: while it is the same, no log went away.
struct Layout {
  std::string current;
  std::uintmax_t manifest_bytes = 0;
  std::set<std::string> logs;
  bool operator==(const Layout&) const = default;
};

Layout look(const std::string& path) {
  Layout layout;
  std::ostringstream text;
  text << std::ifstream(path + "/CURRENT").rdbuf();
  layout.current = text.str();
  std::string manifest = layout.current;
  std::erase(manifest, '\n');
  std::error_code error;
  layout.manifest_bytes = fs::file_size(path + "/" + manifest, error);
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".log") layout.logs.insert(entry->path().filename().string());
  }
  return layout;
}

}  // namespace

Follower::Follower(const RocksdbOptions& options) : options_(options), memory_(make_memory(options)) {}

Result<std::unique_ptr<Follower>> Follower::open(const RocksdbOptions& options, const std::string& scratch) {
  std::unique_ptr<Follower> follower(new Follower(options));
  Result<void> opened;
  for (int tried = 0; tried < tries_max; ++tried) {
    opened = follower->try_open(scratch);
    if (opened) opened = follower->settle();
    if (opened) return follower;
  }
  return fail(std::move(opened.error()));
}

Result<void> Follower::try_open(const std::string& scratch) {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  handles_.clear();
  db_.reset();
  rocksdb::DBOptions database = database_options(options_, memory_);
  // Every table is opened at once and stays open, whatever the server deletes.
  database.max_open_files = -1;
  database.create_if_missing = false;
  // That is the owner's business; here a log may be gone by right.
  database.track_and_verify_wals_in_manifest = false;
  // Without the change log: an older format has none, and a copy begins one of its own (see backup.h).
  auto wanted = families(options_, memory_);
  std::erase_if(wanted, [](const auto& family) { return family.name == changes_family; });
  rocksdb::DB* opened = nullptr;
  const auto status =
      rocksdb::DB::OpenAsSecondary(database, options_.path, scratch, wanted, &handles_, &opened);
  db_.reset(opened);
  if (!status.ok()) return fail(open_error(options_.path, status));
  return {};
}

// A secondary reads the manifest, then the logs. A log whose writes were flushed to a table in between would be missing
// in both: the look counts only when nothing of the kind happened during it.
Result<void> Follower::settle() {
  for (int tried = 0; tried < tries_max; ++tried) {
    const Layout before = look(options_.path);
    const auto status = db_->TryCatchUpWithPrimary();
    if (!status.ok()) return fail(open_error(options_.path, status));
    if (look(options_.path) == before) return {};
  }
  return fail(ErrorCode::unavailable, "data directory '" + options_.path + "' changes too fast to be copied");
}

std::unique_ptr<rocksdb::Iterator> Follower::read(std::size_t family) const {
  rocksdb::ReadOptions all;
  all.fill_cache = false;
  all.verify_checksums = true;
  all.readahead_size = std::size_t{2} << 20;
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(all, handles_[family]));
}

Result<void> Follower::check_format() const { return read_format(options_.path, *db_, handles_.back()); }

Follower::~Follower() {
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
}

}  // namespace armazem::rocks
