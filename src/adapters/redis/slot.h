// Which of the cluster's 16,384 hash slots a key lies in (Redis Cluster specification, 'Key distribution model').
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace armazem::redis {

inline constexpr std::size_t slot_count = 16'384;

namespace detail {

// CRC-16/XMODEM, polynomial 0x1021.
consteval std::array<std::uint16_t, 256> crc16_table() {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}
inline constexpr auto crc16_of_byte = crc16_table();

}  // namespace detail

[[nodiscard]] constexpr std::uint16_t crc16(std::string_view bytes) noexcept {
  unsigned crc = 0;
  for (const char c : bytes) crc = (crc << 8 & 0xFFFF) ^ detail::crc16_of_byte[(crc >> 8) ^ static_cast<unsigned char>(c)];
  return static_cast<std::uint16_t>(crc);
}

// `name` is the key as the server sees it, prefix and all. Between the first '{' and the next '}' stands the part that is
// hashed, if there is anything between them: a key of a user's may hold braces, and the server knows nothing of users.
[[nodiscard]] constexpr std::uint16_t slot_of(std::string_view name) noexcept {
  if (const auto open = name.find('{'); open != name.npos) {
    const auto close = name.find('}', open + 1);
    if (close != name.npos && close > open + 1) name = name.substr(open + 1, close - open - 1);
  }
  return crc16(name) % slot_count;
}

}  // namespace armazem::redis
