#include "adapters/crc32c.h"

#include <array>
#include <cstddef>

namespace armazem {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the remainder when k more bytes follow it.
constexpr Table make_tables() noexcept {
  constexpr std::uint32_t polynomial = 0x82F6'3B78;  // reflected
  Table tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t remainder = b;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? polynomial : 0);
    tables[0][b] = remainder;
  }
  for (std::size_t k = 1; k < tables.size(); ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t before = tables[k - 1][b];
      tables[k][b] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr Table tables = make_tables();

std::uint32_t byte_at(std::string_view text, std::size_t i) noexcept { return static_cast<unsigned char>(text[i]); }

std::uint32_t extend(std::uint32_t crc, std::string_view text) noexcept {
  for (; text.size() >= 8; text.remove_prefix(8)) {
    crc ^= byte_at(text, 0) | byte_at(text, 1) << 8 | byte_at(text, 2) << 16 | byte_at(text, 3) << 24;
    crc = tables[7][crc & 0xFF] ^ tables[6][(crc >> 8) & 0xFF] ^ tables[5][(crc >> 16) & 0xFF] ^ tables[4][crc >> 24] ^
          tables[3][byte_at(text, 4)] ^ tables[2][byte_at(text, 5)] ^ tables[1][byte_at(text, 6)] ^
          tables[0][byte_at(text, 7)];
  }
  for (std::size_t i = 0; i < text.size(); ++i) crc = (crc >> 8) ^ tables[0][(crc ^ byte_at(text, i)) & 0xFF];
  return crc;
}

}  // namespace

std::uint32_t crc32c(std::initializer_list<std::string_view> parts) noexcept {
  std::uint32_t crc = 0xFFFF'FFFF;
  for (const std::string_view part : parts) crc = extend(crc, part);
  return ~crc;
}

}  // namespace armazem
