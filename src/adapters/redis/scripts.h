// What the cache decides inside Redis, atomically per key. All of them look at the first 25 bytes of the key only (see
// entry_codec.h), so a large value costs nothing to compare.
//
// Redis' Lua has no integers but doubles, and its `<` on strings follows the locale: versions and epochs are compared
// byte by byte. tests/contract/redis_scripts_test.cc proves it on the server with tests/vectors/version_order.json.
//
// An entry or lease of another epoch counts as absent. One exception: an entry of a *later* epoch than the writer's is
// not overwritten by an older version; there the writer's view of the cluster is the old one.
#pragma once

#include <string>
#include <string_view>

namespace armazem::redis {

class Script {
 public:
  explicit Script(std::string text);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // Its name for EVALSHA: SHA-1 in hexadecimal. A name, not a protection.
  [[nodiscard]] const std::string& sha() const noexcept { return sha_; }

 private:
  std::string text_;
  std::string sha_;
};

// KEYS[1] is the key in each of them.
struct Scripts {
  // lease, its ms to live → 1 granted; 0 another reader holds one; or, as bulk, the entry that is there by now
  Script lease;
  // lease, entry, its ms to live → 1 stored; 0 that lease is not there
  Script fill;
  // entry, its ms to live → 1 stored; 0 what is there is not older
  Script put;
  // entry, its ms to live → 1 replaced; 2 a lease, or an entry of another epoch, removed; 0 otherwise
  Script replace_only;
  // header → 2 removed; 0 what is there is not older, or nothing is
  Script remove_older;
};

[[nodiscard]] const Scripts& scripts();

}  // namespace armazem::redis
