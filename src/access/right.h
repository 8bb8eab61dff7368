// What an API key may allow. No right holds another: a key that shall read and write has both.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem {

enum class Right : std::uint8_t {
  read,    // GET, HEAD, list, watch, operations
  write,   // PUT
  remove,  // DELETE
  admin,   // /metrics, and writes that keep a version given from outside; of the whole server, never of a prefix
};
inline constexpr std::array<Right, 4> all_rights{Right::read, Right::write, Right::remove, Right::admin};

[[nodiscard]] std::string_view to_string(Right right) noexcept;

// A set of rights.
class Rights {
 public:
  constexpr Rights() noexcept = default;
  constexpr void add(Right right) noexcept { bits_ = static_cast<std::uint8_t>(bits_ | bit(right)); }
  [[nodiscard]] constexpr bool has(Right right) const noexcept { return (bits_ & bit(right)) != 0; }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr bool operator==(Rights, Rights) noexcept = default;

  // "read,write": names with commas between, each once, at least one.
  static Result<Rights> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::uint8_t bit(Right right) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(right));
  }
  std::uint8_t bits_ = 0;
};

}  // namespace armazem
