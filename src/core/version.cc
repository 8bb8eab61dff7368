#include "core/version.h"

#include <algorithm>

namespace armazem {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_dash_position(std::size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void store_big_endian(std::uint64_t value, std::uint8_t* out) noexcept {
  for (int i = 7; i >= 0; --i, value >>= 8) out[i] = static_cast<std::uint8_t>(value);
}

std::uint64_t load_big_endian(const std::uint8_t* in) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | in[i];
  return value;
}

tl::unexpected<Error> not_a_version() {
  return fail(ErrorCode::invalid_argument,
              "not a version: expected the text of a UUIDv7 such as 0193a1b2-c3d4-7001-8abc-0123456789ab");
}

}  // namespace

Version Version::make(Tick tick, OpId op) noexcept {
  constexpr std::uint64_t counter_mask = (std::uint64_t{1} << Tick::counter_bits) - 1;
  Version version;
  store_big_endian(tick.ms() << 16 | std::uint64_t{7} << 12 | (tick.bits() & counter_mask), version.bytes_.data());
  store_big_endian(std::uint64_t{1} << 63 | op.bits(), version.bytes_.data() + 8);
  return version;
}

Result<Version> Version::parse(std::string_view text) {
  if (text.size() != text_size) return not_a_version();
  Version version;
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text_size; ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-') return not_a_version();
      continue;
    }
    const int digit = hex_value(text[i]);
    if (digit < 0) return not_a_version();
    std::uint8_t& byte = version.bytes_[nibble / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | digit);
    ++nibble;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(version.bytes_.data()), version.bytes_.size());
  if (!is_well_formed(bytes)) return not_a_version();
  return version;
}

Result<Version> Version::from_bytes(std::string_view bytes) {
  Version version;
  if (bytes.size() != version.bytes_.size() || !is_well_formed(bytes)) return not_a_version();
  std::ranges::copy(bytes, version.bytes_.begin());
  return version;
}

Tick Version::tick() const noexcept {
  const std::uint64_t half = load_big_endian(bytes_.data());
  return Tick((half >> 16) << Tick::counter_bits | (half & 0xFFF));
}

OpId Version::op() const noexcept { return OpId(load_big_endian(bytes_.data() + 8)); }

void Version::write_text(char* out) const noexcept {
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text_size; ++i) {
    if (is_dash_position(i)) {
      out[i] = '-';
      continue;
    }
    const std::uint8_t byte = bytes_[nibble / 2];
    out[i] = hex_digits[nibble % 2 == 0 ? byte >> 4 : byte & 0xF];
    ++nibble;
  }
}

std::string Version::text() const {
  std::string text(text_size, '\0');
  write_text(text.data());
  return text;
}

}  // namespace armazem
