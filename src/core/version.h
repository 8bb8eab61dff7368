// Version: 16 bytes in the layout of UUIDv7 (RFC 9562, section 5.7), ordered bytewise.
//
//   bits   0..47  milliseconds since the Unix epoch   \ the time half decides the order
//   bits  48..51  0111, the UUID version               |
//   bits  52..63  counter within the millisecond      /
//   bits  64..65  10, the UUID variant
//   bits  66..127 op id: names the request, stays the same over every retry and re-stamp of it
//
// Text form: lower-case UUID. It is the ETag, the session token and the operation's id. Never a JSON number.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem {

// 62 bits; the constructor masks.
class OpId {
 public:
  static constexpr std::uint64_t mask = (std::uint64_t{1} << 62) - 1;
  constexpr OpId() noexcept = default;
  explicit constexpr OpId(std::uint64_t bits) noexcept : bits_(bits & mask) {}
  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  friend constexpr auto operator<=>(OpId, OpId) noexcept = default;

 private:
  std::uint64_t bits_ = 0;
};

// Milliseconds and counter as one ordered number of 60 bits: ms << 12 | counter.
class Tick {
 public:
  static constexpr int counter_bits = 12;
  static constexpr std::uint64_t max_bits = (std::uint64_t{1} << 60) - 1;
  constexpr Tick() noexcept = default;
  explicit constexpr Tick(std::uint64_t bits) noexcept : bits_(bits & max_bits) {}
  static constexpr Tick from_ms(std::uint64_t ms) noexcept { return Tick(ms << counter_bits); }
  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] constexpr std::uint64_t ms() const noexcept { return bits_ >> counter_bits; }
  // A full counter carries into the milliseconds, so the order never breaks.
  [[nodiscard]] constexpr Tick next() const noexcept { return Tick(bits_ + 1); }
  friend constexpr auto operator<=>(Tick, Tick) noexcept = default;

 private:
  std::uint64_t bits_ = 0;
};

class Version {
 public:
  static constexpr std::size_t text_size = 36;
  using Bytes = std::array<std::uint8_t, 16>;

  // The nil version: older than every other, never stamped, matches no record.
  constexpr Version() noexcept = default;
  static Version make(Tick tick, OpId op) noexcept;
  // Exactly the text form (either case); any other length, character, UUID version or variant is invalid_argument.
  static Result<Version> parse(std::string_view text);
  static Result<Version> from_bytes(std::string_view bytes);
  // Whether these bytes, 16 of them, are a version's.
  [[nodiscard]] static bool is_well_formed(std::string_view bytes) noexcept {
    return (static_cast<std::uint8_t>(bytes[6]) & 0xF0) == 0x70 && (static_cast<std::uint8_t>(bytes[8]) & 0xC0) == 0x80;
  }

  [[nodiscard]] Tick tick() const noexcept;
  [[nodiscard]] std::uint64_t ms() const noexcept { return tick().ms(); }
  [[nodiscard]] OpId op() const noexcept;
  [[nodiscard]] const Bytes& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_nil() const noexcept { return *this == Version(); }
  [[nodiscard]] std::string text() const;
  // Writes text_size characters, no terminator.
  void write_text(char* out) const noexcept;

  friend auto operator<=>(const Version&, const Version&) noexcept = default;

 private:
  Bytes bytes_{};
};

}  // namespace armazem
