// API keys: who may do what under which prefixes.
//
// A key is shown once, as `id.secret`, and after that only the SHA-256 digest of the secret is kept. A plain digest is
// right here, where it would be wrong for passwords: salts and slow functions (bcrypt, Argon2) make up for secrets that
// people choose and that can be guessed; these are 32 random bytes, which nobody can search, and a slow function would
// only make each request slow. The id is no secret: it names the key in lists, logs and `revoke`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/right.h"
#include "core/result.h"

namespace armazem {

inline constexpr std::size_t key_id_chars = 16;  // 8 random bytes in hex
inline constexpr std::size_t key_secret_chars = 64;  // 32 random bytes in hex
inline constexpr std::size_t key_scopes_max = 32;  // of one key; each is looked at for each request
inline constexpr std::size_t key_note_bytes_max = 200;

// Rights on every key that begins with `prefix`; an empty prefix means all keys.
struct Scope {
  Rights rights;
  std::string prefix;

  // "read,write:orders/", "read:", "admin". The first colon ends the rights; the prefix may hold more.
  static Result<Scope> parse(std::string_view text);
  // Checks rights and prefix against each other and their bounds.
  static Result<Scope> make(Rights rights, std::string prefix);
  [[nodiscard]] std::string text() const;
};

using SecretDigest = std::array<unsigned char, 32>;
[[nodiscard]] SecretDigest digest_of(std::string_view secret);
// Takes as long for a digest that differs in the first byte as for one that differs in the last.
[[nodiscard]] bool equal_in_constant_time(const SecretDigest& a, const SecretDigest& b) noexcept;

struct ApiKey {
  std::string id;
  SecretDigest digest{};
  std::vector<Scope> scopes;
  std::string note;
  std::uint64_t created_at_ms = 0;
  std::optional<std::uint64_t> expires_at_ms;
  std::optional<std::uint64_t> revoked_at_ms;

  // One scope must do: for a prefix that is asked for as a whole, `text` is that prefix.
  [[nodiscard]] bool allows(Right right, std::string_view text) const noexcept;
  [[nodiscard]] bool expired(std::uint64_t now_ms) const noexcept { return expires_at_ms && now_ms >= *expires_at_ms; }
};

// The two halves of what a client sends; nullopt when it has not the form of a key.
struct KeyText {
  std::string_view id;
  std::string_view secret;
};
[[nodiscard]] std::optional<KeyText> split_key_text(std::string_view text) noexcept;
[[nodiscard]] bool is_key_id(std::string_view text) noexcept;

struct NewKey {
  ApiKey key;
  std::string text;  // id.secret: the only copy there is
};
// With a fresh id and secret from the kernel's generator.
[[nodiscard]] NewKey new_key(std::vector<Scope> scopes, std::uint64_t now_ms);

[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace armazem
