// The keys that a server knows now, and how they change without a restart.
//
// A reload replaces all of them at once; a file that cannot be used leaves the old ones in force, because a slip of an
// editor must not lock everybody out, and says so until it is mended.
//
// Thread rule: `reload` and `reload_if_changed` from one thread, which may wait for the disk; all else from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/api_key.h"
#include "access/key_file.h"
#include "core/mutex.h"
#include "core/result.h"

namespace armazem {

class KeyRing {
 public:
  // Reads the file; it must be usable now.
  static Result<std::unique_ptr<KeyRing>> open(std::string path);

  enum class Verdict : std::uint8_t { accepted, unknown, expired, revoked };
  struct Found {
    Verdict verdict = Verdict::unknown;
    std::shared_ptr<const ApiKey> key;  // set unless unknown
  };
  // Whose key this is. A wrong secret is 'unknown', as an id that does not exist is, and takes as long.
  [[nodiscard]] Found find(const KeyText& given, std::uint64_t now_ms) const;
  // The same key as it is now: nullptr when it has been revoked, removed or given another secret, or has expired. For
  // what lives longer than a request.
  [[nodiscard]] std::shared_ptr<const ApiKey> renew(const ApiKey& old, std::uint64_t now_ms) const;
  // True when a key has this id.
  [[nodiscard]] bool knows(std::string_view id) const;

  // Reads the file again.
  Result<void> reload();
  // The same, when it looks different from when it was last read, well or not. True when it was read.
  Result<bool> reload_if_changed();

  struct Figures {
    std::uint64_t keys = 0;
    std::uint64_t reloads = 0;
    std::uint64_t failures = 0;
    bool broken = false;  // the last reload failed
  };
  [[nodiscard]] Figures figures() const noexcept;

 private:
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the name that the containers look for
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Keys = std::unordered_map<std::string, std::shared_ptr<const ApiKey>, Hash, std::equal_to<>>;

  explicit KeyRing(std::string path) : path_(std::move(path)) {}
  Result<void> read_again();
  [[nodiscard]] std::shared_ptr<const Keys> keys() const;

  const std::string path_;
  FileMark mark_;  // the reloading thread's: as the file was when it was last looked at
  mutable Mutex mutex_;
  std::shared_ptr<const Keys> keys_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> count_{0}, reloads_{0}, failures_{0};
  std::atomic<bool> broken_{false};
};

}  // namespace armazem
