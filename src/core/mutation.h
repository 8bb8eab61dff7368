// One put or delete of one key, on its way to a store.
#pragma once

#include <cstdint>
#include <optional>

#include "core/key.h"
#include "core/value.h"
#include "core/version.h"

namespace armazem {

// RFC 9110, sections 13.1.1 and 13.1.2, for a write.
struct Condition {
  enum class Kind : std::uint8_t {
    none,
    if_absent,   // If-None-Match: *
    if_present,  // If-Match: *
    if_version,  // If-Match: "version"; the nil version never matches
  };
  Kind kind = Kind::none;
  Version version;

  friend bool operator==(const Condition&, const Condition&) = default;
};

struct Mutation {
  enum class Kind : std::uint8_t { put, remove };

  Kind kind = Kind::put;
  Key key;
  Value value;  // empty for a remove
  Version version;
  Condition condition;
  std::optional<std::uint64_t> expires_at_ms;  // Unix milliseconds; only for a put

  // Bytes that count against batch and queue limits.
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return key.text().size() + value.bytes.size() + value.content_type.size() + sizeof(Version);
  }
};

}  // namespace armazem
