#include "core/utf8.h"

#include <cstdint>
#include <cstring>

namespace armazem {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

bool in(unsigned char byte, unsigned char low, unsigned char high) noexcept { return byte >= low && byte <= high; }

// Length of the well-formed sequence at `p`, 0 when there is none. Follows table 3-7 row by row.
std::size_t sequence_length(const unsigned char* p, std::size_t left) noexcept {
  const unsigned char lead = p[0];
  if (lead < 0x80) return 1;
  if (in(lead, 0xC2, 0xDF)) return left >= 2 && in(p[1], 0x80, 0xBF) ? 2 : 0;
  if (in(lead, 0xE0, 0xEF)) {
    const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    return left >= 3 && in(p[1], low, high) && in(p[2], 0x80, 0xBF) ? 3 : 0;
  }
  if (in(lead, 0xF0, 0xF4)) {
    const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    return left >= 4 && in(p[1], low, high) && in(p[2], 0x80, 0xBF) && in(p[3], 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  while (p != end) {
    std::uint64_t word = 0;
    if (end - p >= 8 && (std::memcpy(&word, p, 8), (word & high_bits) == 0)) {
      p += 8;
      continue;
    }
    const std::size_t length = sequence_length(p, static_cast<std::size_t>(end - p));
    if (length == 0) return false;
    p += length;
  }
  return true;
}

}  // namespace armazem
