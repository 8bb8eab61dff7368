#include "adapters/rocksdb/format_check.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

constexpr const char* format_key = "format";

std::string directory_text(const std::string& path) { return "data directory '" + path + "'"; }

// RocksDB would roll its own log file before it finds the lock taken, so the lock is asked first. Its Env knows the
// locks of this process too, which the system does not tell (and would drop at the first close).
Result<void> check_not_in_use(const std::string& path, rocksdb::Env& env) {
  const std::string lock_path = path + "/LOCK";
  if (!std::filesystem::exists(lock_path)) return {};
  rocksdb::FileLock* lock = nullptr;
  if (const auto status = env.LockFile(lock_path, &lock); !status.ok()) {
    return fail(ErrorCode::precondition, directory_text(path) + " is in use by another process: " + status.ToString() +
                                             ". Stop that one or choose another directory");
  }
  env.UnlockFile(lock).PermitUncheckedError();
  return {};
}

// Opened for reading only, without a log file of its own and without the lock: that changes no byte.
class ReadOnlyView {
 public:
  static Result<std::unique_ptr<ReadOnlyView>> open(const std::string& path, rocksdb::DBOptions database,
                                                    const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
    std::unique_ptr<ReadOnlyView> view(new ReadOnlyView());
    database.info_log = std::make_shared<SilentLogger>();
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::OpenForReadOnly(database, path, families, &view->handles_, &opened);
    view->db_.reset(opened);
    if (!status.ok()) return fail(open_error(path, status));
    return view;
  }
  ~ReadOnlyView() {
    for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }

  [[nodiscard]] rocksdb::Status get(std::size_t family, const char* key, std::string& value) const {
    return db_->Get(rocksdb::ReadOptions(), handles_[family], key, &value);
  }

  [[nodiscard]] bool holds_no_key() const {
    return std::ranges::all_of(handles_, [this](rocksdb::ColumnFamilyHandle* handle) {
      const std::unique_ptr<rocksdb::Iterator> all(db_->NewIterator(rocksdb::ReadOptions(), handle));
      all->SeekToFirst();
      return !all->Valid() && all->status().ok();
    });
  }

 private:
  struct SilentLogger final : rocksdb::Logger {
    using Logger::Logv;
    void Logv(const char*, va_list) override {}
  };

  ReadOnlyView() = default;

  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

tl::unexpected<Error> not_ours(const std::string& path) {
  return fail(ErrorCode::precondition, directory_text(path) +
                                           " holds a RocksDB database of another program. Nothing was changed. Choose "
                                           "an empty directory or one that does not exist yet");
}

Result<FormatState> judge_format(const std::string& path, const std::string& text) {
  int format = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || end != text.data() + text.size() || format < 1) {
    return fail(ErrorCode::data_damaged, directory_text(path) +
                                             ": the format number is unreadable. Nothing was "
                                             "changed. Restore the whole directory from a copy");
  }
  if (format > database_format) {
    return fail(ErrorCode::precondition, directory_text(path) + " has format " + text + ", this program knows up to " +
                                             std::to_string(database_format) +
                                             ". Nothing was changed. Use the newer program that wrote it");
  }
  return FormatState::current;
}

// Every finished database has a log, be it empty. RocksDB itself would take a missing one for nothing written.
Result<FormatState> judge_log(const std::string& path) {
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().extension() == ".log") return FormatState::current;
  }
  return fail(ErrorCode::data_damaged, directory_text(path) +
                                           ": the database is damaged, its log file is missing. Nothing was changed. "
                                           "Restore the whole directory from a copy");
}

using Families = std::vector<rocksdb::ColumnFamilyDescriptor>;

Families known_of(const Families& ours, const std::vector<std::string>& existing) {
  Families known;
  for (const auto& family : ours) {
    if (std::ranges::find(existing, family.name) != existing.end()) known.push_back(family);
  }
  return known;
}

}  // namespace

Result<FormatState> check_format(const RocksdbOptions& options, const rocksdb::DBOptions& database,
                                 const Memory& memory) {
  const std::string& path = options.path;
  if (auto unused = check_not_in_use(path, *database.env); !unused) return fail(std::move(unused.error()));

  std::vector<std::string> existing;
  const auto listed = rocksdb::DB::ListColumnFamilies(database, path, &existing);
  if (!listed.ok()) return fail(open_error(path, listed));
  const Families known = known_of(families(options, memory), existing);
  const bool has_meta = !known.empty() && known.back().name == meta_family;
  const bool has_others = known.size() < existing.size();
  if (has_others && !has_meta) return not_ours(path);

  // Reads all of the log and asks for every table, so that damage is found before anything is touched. After a clean
  // stop there is no log to speak of.
  const auto view = ReadOnlyView::open(path, database, known);
  if (!view) return fail(view.error());
  if (has_meta) {
    std::string text;
    const auto status = (*view)->get(known.size() - 1, format_key, text);
    if (status.ok()) {
      auto format = judge_format(path, text);
      return format ? judge_log(path) : format;
    }
    if (!status.IsNotFound()) return fail(open_error(path, status));
  }
  // Without a format number: a creation of ours that was cut short, which holds nothing, or somebody else's.
  if (has_others || !(*view)->holds_no_key()) return not_ours(path);
  return FormatState::unfinished;
}

Result<void> read_format(const std::string& path, rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta) {
  std::string text;
  const auto status = db.Get(rocksdb::ReadOptions(), meta, format_key, &text);
  if (status.IsNotFound()) return not_ours(path);
  if (!status.ok()) return fail(open_error(path, status));
  const auto format = judge_format(path, text);
  if (!format) return fail(format.error());
  return {};
}

rocksdb::Status stage_format(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* meta, rocksdb::WriteBatch& batch) {
  const std::string ours = std::to_string(database_format);
  std::string text;
  auto status = db.Get(rocksdb::ReadOptions(), meta, format_key, &text);
  if (!status.ok() && !status.IsNotFound()) return status;
  return text == ours ? rocksdb::Status::OK() : batch.Put(meta, format_key, ours);
}

Error open_error(const std::string& path, const rocksdb::Status& status) {
  Error error = to_error(status, "opening " + directory_text(path));
  if (error.code == ErrorCode::data_damaged) {
    error.message += ". The database is damaged; nothing was changed. Restore the whole directory from a copy";
  } else if (error.code == ErrorCode::storage_full) {
    error.message += ". Make room on that disk and start again";
  } else {
    error.code = ErrorCode::precondition;
    error.message += ". Check that the directory can be read and written and that no other process uses it";
  }
  return error;
}

}  // namespace armazem::rocks
