#include "core/list_cursor.h"

#include <array>
#include <cstdint>

#include "core/base64.h"
#include "core/limits.h"
#include "core/partition.h"

namespace armazem {
namespace {

constexpr char format = 0x01;
constexpr std::size_t checksum_bytes = 4;
constexpr std::size_t head_bytes = 1 + checksum_bytes;

// Keys have no NUL, so it parts the key from the prefix.
std::array<char, checksum_bytes> checksum(std::string_view prefix, std::string_view after_key) {
  std::string both(after_key);
  both.push_back('\0');
  both.append(prefix);
  const std::uint64_t hash = key_hash(both);
  const std::uint64_t folded = hash ^ hash >> 32;
  std::array<char, checksum_bytes> bytes{};
  for (std::size_t i = 0; i < checksum_bytes; ++i) bytes[i] = static_cast<char>(folded >> (8 * i) & 0xFF);
  return bytes;
}

}  // namespace

std::string encode_list_cursor(std::string_view prefix, std::string_view after_key) {
  const auto sum = checksum(prefix, after_key);
  std::string bytes(1, format);
  bytes.append(sum.data(), sum.size()).append(after_key);
  std::string text;
  append_base64url(text, bytes);
  return text;
}

std::optional<std::string> decode_list_cursor(std::string_view prefix, std::string_view text) {
  const auto bytes = decode_base64url(text);
  if (!bytes || bytes->size() <= head_bytes || bytes->front() != format) return std::nullopt;
  std::string key = bytes->substr(head_bytes);
  if (key.size() > limits::key_bytes_max || key.find('\0') != key.npos) return std::nullopt;
  const auto sum = checksum(prefix, key);
  if (bytes->compare(1, checksum_bytes, sum.data(), checksum_bytes) != 0) return std::nullopt;
  return key;
}

}  // namespace armazem
