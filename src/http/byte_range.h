// Range requests of bytes (RFC 9110, section 14).
#pragma once

#include <cstddef>
#include <string_view>

namespace armazem::http {

struct ByteRange {
  enum class Kind {
    whole,          // nothing asked for, several ranges, another unit or a malformed header: the whole answer
    part,           // `count` bytes from `first`
    unsatisfiable,  // all of it lies behind the end
  };
  Kind kind = Kind::whole;
  std::size_t first = 0;
  std::size_t count = 0;
};

// What the value of Range means for content of that size.
[[nodiscard]] ByteRange find_range(std::string_view header, std::size_t size) noexcept;

}  // namespace armazem::http
