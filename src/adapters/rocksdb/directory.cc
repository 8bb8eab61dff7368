#include "adapters/rocksdb/directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

namespace armazem::rocks {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

tl::unexpected<Error> unfit(const fs::path& path, const std::string& why) {
  return fail(ErrorCode::precondition, "data directory " + quoted(path) + " " + why);
}

std::string reason(int error) { return std::system_category().message(error); }

// Files that RocksDB writes before CURRENT makes them a database, and what a fresh volume brings along.
bool harmless_before_creation(std::string_view name) {
  constexpr std::array<std::string_view, 3> names = {"LOCK", "IDENTITY", "lost+found"};
  constexpr std::array<std::string_view, 3> prefixes = {"LOG", "MANIFEST-", "OPTIONS-"};
  const auto is_prefix = [name](std::string_view prefix) { return name.starts_with(prefix); };
  return std::ranges::find(names, name) != names.end() || std::ranges::any_of(prefixes, is_prefix) ||
         name.ends_with(".dbtmp");
}

bool holds_data(std::string_view name) { return name.ends_with(".sst") || name.ends_with(".log"); }

Result<DirectoryState> examine_files(const fs::path& path) {
  std::string foreign;
  bool data = false;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == "CURRENT") return DirectoryState::database;
    data = data || holds_data(name);
    if (!harmless_before_creation(name) && !holds_data(name)) foreign = name;
  }
  if (error) return unfit(path, "cannot be read: " + error.message());
  if (!foreign.empty()) {
    return unfit(path, "holds other files (such as '" + foreign +
                           "') and no Armazém database. Choose an empty directory or one that does not exist yet");
  }
  if (data) {
    return fail(ErrorCode::data_damaged, "data directory " + quoted(path) +
                                             " holds table or log files, but its file CURRENT is missing. Nothing was "
                                             "changed. Restore the whole directory from a copy");
  }
  return DirectoryState::empty;
}

}  // namespace

Result<void> sync_directory(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!synced) return unfit(path, "cannot be synced: " + reason(error));
  return {};
}

Result<DirectoryState> examine_directory(const std::string& path) {
  if (path.empty()) return fail(ErrorCode::precondition, "the path of the data directory is empty");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) return DirectoryState::missing;
  if (error) return unfit(path, "cannot be looked at: " + error.message());
  if (status.type() != fs::file_type::directory) return unfit(path, "is not a directory");
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
    return unfit(path, "cannot be written: " + reason(errno) + ". Give it to user id " + std::to_string(::geteuid()) +
                           " or choose another one");
  }
  return examine_files(path);
}

Result<void> create_directory(const std::string& path) {
  const fs::path full = fs::absolute(path).lexically_normal();
  std::vector<fs::path> created;
  std::error_code error;
  for (fs::path at = full; !fs::exists(at, error) && !error; at = at.parent_path()) created.push_back(at);
  if (!error) fs::create_directories(full, error);
  if (error) return unfit(path, "cannot be created: " + error.message());
  for (const fs::path& at : created) {
    if (auto synced = sync_directory(at.parent_path()); !synced) return synced;
  }
  return {};
}

}  // namespace armazem::rocks
