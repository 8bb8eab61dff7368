#include "access/key_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <unordered_set>
#include <utility>

#include "core/deadline.h"

namespace armazem {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds lock_pause{20};

tl::unexpected<Error> failed(const std::string& what, const std::string& path) {
  return fail(ErrorCode::precondition, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

FileMark mark_of(const struct stat& status) {
  const auto ns = [](const timespec& time) { return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec; };
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim),
          ns(status.st_ctim)};
}

std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  return directory.empty() ? "." : directory;
}

// Reading one line --------------------------------------------------------------------------------------------------------

struct BadLine {
  std::string why;
};

const json::value& member(const json::object& object, std::string_view name) {
  const json::value* const found = object.if_contains(name);
  if (found == nullptr) throw BadLine{"'" + std::string(name) + "' is missing"};
  return *found;
}

std::string text_of(const json::value& value, std::string_view name) {
  if (!value.is_string()) throw BadLine{"'" + std::string(name) + "' must be text"};
  return std::string(value.get_string());
}

std::uint64_t time_of(const json::value& value, std::string_view name) {
  if (!value.is_int64() || value.get_int64() < 0) throw BadLine{"'" + std::string(name) + "' must be milliseconds"};
  return static_cast<std::uint64_t>(value.get_int64());
}

SecretDigest digest_from(const std::string& hex) {
  SecretDigest digest{};
  if (hex.size() != 2 * digest.size() || hex.find_first_not_of("0123456789abcdef") != hex.npos) {
    throw BadLine{"'sha256' must be 64 hexadecimal digits"};
  }
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<unsigned char>(std::strtoul(hex.substr(2 * i, 2).c_str(), nullptr, 16));
  }
  return digest;
}

std::vector<Scope> scopes_from(const json::value& value) {
  if (!value.is_array()) throw BadLine{"'scopes' must be a list"};
  std::vector<Scope> scopes;
  for (const json::value& one : value.get_array()) {
    Result<Scope> scope = Scope::parse(text_of(one, "scopes"));
    if (!scope) throw BadLine{scope.error().message};
    scopes.push_back(std::move(*scope));
  }
  if (scopes.empty() || scopes.size() > key_scopes_max) throw BadLine{"'scopes' must have 1 to 32 entries"};
  return scopes;
}

ApiKey key_from(std::string_view line) {
  json::error_code ec;
  const json::value value = json::parse(line, ec);
  if (ec || !value.is_object()) throw BadLine{"it is no JSON object"};
  const json::object& object = value.get_object();
  ApiKey key;
  key.id = text_of(member(object, "id"), "id");
  if (!is_key_id(key.id)) throw BadLine{"'id' must be 16 hexadecimal digits"};
  key.digest = digest_from(text_of(member(object, "sha256"), "sha256"));
  key.scopes = scopes_from(member(object, "scopes"));
  key.created_at_ms = time_of(member(object, "created_at_ms"), "created_at_ms");
  std::size_t known = 4;
  const auto optional = [&](std::string_view name, auto use) {
    if (const json::value* found = object.if_contains(name)) use(*found), ++known;
  };
  optional("note", [&](const json::value& note) { key.note = text_of(note, "note"); });
  optional("expires_at_ms", [&](const json::value& at) { key.expires_at_ms = time_of(at, "expires_at_ms"); });
  optional("revoked_at_ms", [&](const json::value& at) { key.revoked_at_ms = time_of(at, "revoked_at_ms"); });
  if (object.size() != known) throw BadLine{"it has a member that this version does not know"};
  return key;
}

// Writing -----------------------------------------------------------------------------------------------------------------

Result<void> write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file) != 0) return failed("sync", path);
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  const net::FileDescriptor open(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open() || ::fsync(open.get()) != 0) return failed("sync", directory);
  return {};
}

// An administrator may add keys to the file of the user who serves: it stays that user's.
Result<void> keep_owner(int file, const std::string& path) {
  struct stat old{};
  if (::stat(path.c_str(), &old) != 0) return {};
  struct stat fresh{};
  if (::fstat(file, &fresh) != 0) return failed("look at", path);
  if (old.st_uid == fresh.st_uid) return {};
  if (::fchown(file, old.st_uid, old.st_gid) != 0) return failed("keep the owner of", path);
  return {};
}

Result<std::string> read_whole(int file, std::size_t size, const std::string& path) {
  std::string text(size + 1, '\0');  // one more: a file that grows meanwhile is noticed
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t count = ::read(file, text.data() + got, text.size() - got);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed("read", path);
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  text.resize(got);
  if (got != size) return fail(ErrorCode::data_damaged, path + " changed while it was read");
  return text;
}

}  // namespace

Result<FileMark> mark_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failed("look at", path);
  return mark_of(status);
}

Result<std::vector<ApiKey>> parse_keys(std::string_view text) {
  std::vector<ApiKey> keys;
  std::unordered_set<std::string> ids;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    try {
      ApiKey key = key_from(line);
      if (!ids.insert(key.id).second) throw BadLine{"the id " + key.id + " stands twice"};
      keys.push_back(std::move(key));
    } catch (const BadLine& bad) {
      return fail(ErrorCode::data_damaged, "line " + std::to_string(number) + ": " + bad.why);
    }
    if (keys.size() > keys_max)
      return fail(ErrorCode::data_damaged, "there are more than " + std::to_string(keys_max) + " keys");
  }
  return keys;
}

std::string format_keys(const std::vector<ApiKey>& keys) {
  std::string text;
  for (const ApiKey& key : keys) {
    json::object line;
    line["id"] = key.id;
    line["sha256"] = to_hex({reinterpret_cast<const char*>(key.digest.data()), key.digest.size()});
    json::array& scopes = line["scopes"].emplace_array();
    for (const Scope& scope : key.scopes) scopes.emplace_back(scope.text());
    line["created_at_ms"] = static_cast<std::int64_t>(key.created_at_ms);
    if (key.expires_at_ms) line["expires_at_ms"] = static_cast<std::int64_t>(*key.expires_at_ms);
    if (key.revoked_at_ms) line["revoked_at_ms"] = static_cast<std::int64_t>(*key.revoked_at_ms);
    if (!key.note.empty()) line["note"] = key.note;
    text.append(json::serialize(line)).append("\n");
  }
  return text;
}

Result<KeyFile> read_key_file(const std::string& path) {
  const net::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return failed("open", path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failed("look at", path);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::precondition, path + " is no file");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(ErrorCode::precondition,
                path + " may be written by others, who could make themselves keys; chmod 600 it");
  }
  KeyFile content;
  content.mark = mark_of(status);
  if (content.mark.size > key_file_bytes_max) return fail(ErrorCode::precondition, path + " is larger than 16 MiB");
  const Result<std::string> text = read_whole(file.get(), content.mark.size, path);
  if (!text) return fail(text.error());
  Result<std::vector<ApiKey>> keys = parse_keys(*text);
  if (!keys) return fail(std::move(keys.error()).with_context(path));
  content.keys = std::move(*keys);
  return content;
}

Result<void> write_key_file(const std::string& path, const std::vector<ApiKey>& keys) {
  std::string fresh = path + ".XXXXXX";
  const net::FileDescriptor file(::mkostemp(fresh.data(), O_CLOEXEC));  // with mode 0600
  if (!file.is_open()) return failed("make", fresh);
  Result<void> done = write_all(file.get(), format_keys(keys), fresh);
  if (done) done = keep_owner(file.get(), path);
  if (done && ::rename(fresh.c_str(), path.c_str()) != 0) done = failed("replace", path);
  if (!done) {
    ::unlink(fresh.c_str());
    return done;
  }
  return sync_directory(directory_of(path));
}

Result<KeyFileLock> KeyFileLock::take(const std::string& path, std::chrono::milliseconds wait) {
  const std::string directory = directory_of(path);
  net::FileDescriptor open(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!open.is_open()) return failed("open", directory);
  const MonotonicTime end = MonotonicClock::now() + wait;
  while (::flock(open.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failed("lock", directory);
    if (MonotonicClock::now() >= end) {
      return fail(ErrorCode::overloaded, "another command is changing keys in " + directory);
    }
    std::this_thread::sleep_for(lock_pause);
  }
  return KeyFileLock(std::move(open));
}

}  // namespace armazem
