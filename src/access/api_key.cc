#include "access/api_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "core/assert.h"
#include "core/limits.h"
#include "core/utf8.h"

namespace armazem {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_hex(std::string_view text, std::size_t chars) noexcept {
  return text.size() == chars && text.find_first_not_of(hex_digits) == text.npos;
}

std::string random_hex(std::size_t chars) {
  std::string bytes(chars / 2, '\0');
  ARMAZEM_ASSERT(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return to_hex(bytes);
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(hex_digits[byte >> 4]);
    hex.push_back(hex_digits[byte & 0xF]);
  }
  return hex;
}

Result<Scope> Scope::make(Rights rights, std::string prefix) {
  if (rights.empty()) return fail(ErrorCode::invalid_argument, "a scope needs a right: read, write, delete or admin");
  if (prefix.size() > limits::key_bytes_max || prefix.find('\0') != prefix.npos || !is_utf8(prefix)) {
    return fail(ErrorCode::invalid_argument, "the prefix of a scope must be UTF-8 without NUL, of at most 1024 bytes");
  }
  if (rights.has(Right::admin) && !prefix.empty()) {
    return fail(ErrorCode::invalid_argument,
                "admin is a right on the whole server: give it in a scope without a prefix");
  }
  return Scope{rights, std::move(prefix)};
}

Result<Scope> Scope::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const Result<Rights> rights = Rights::parse(text.substr(0, colon));
  if (!rights) return fail(rights.error());
  return make(*rights, colon == text.npos ? std::string() : std::string(text.substr(colon + 1)));
}

std::string Scope::text() const { return rights.text() + ":" + prefix; }

SecretDigest digest_of(std::string_view secret) {
  SecretDigest digest{};
  unsigned int size = 0;
  ARMAZEM_ASSERT(EVP_Digest(secret.data(), secret.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1 &&
                 size == digest.size());
  return digest;
}

bool equal_in_constant_time(const SecretDigest& a, const SecretDigest& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool ApiKey::allows(Right right, std::string_view text) const noexcept {
  return std::ranges::any_of(
      scopes, [&](const Scope& scope) { return scope.rights.has(right) && text.starts_with(scope.prefix); });
}

bool is_key_id(std::string_view text) noexcept { return is_hex(text, key_id_chars); }

std::optional<KeyText> split_key_text(std::string_view text) noexcept {
  if (text.size() != key_id_chars + 1 + key_secret_chars || text[key_id_chars] != '.') return std::nullopt;
  const KeyText halves{text.substr(0, key_id_chars), text.substr(key_id_chars + 1)};
  if (!is_key_id(halves.id) || !is_hex(halves.secret, key_secret_chars)) return std::nullopt;
  return halves;
}

NewKey new_key(std::vector<Scope> scopes, std::uint64_t now_ms) {
  NewKey made;
  const std::string secret = random_hex(key_secret_chars);
  made.key.id = random_hex(key_id_chars);
  made.key.digest = digest_of(secret);
  made.key.scopes = std::move(scopes);
  made.key.created_at_ms = now_ms;
  made.text = made.key.id + "." + secret;
  return made;
}

}  // namespace armazem
