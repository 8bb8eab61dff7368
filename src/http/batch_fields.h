// The members of one operation of a batch as they came, and what they mean together.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "http/batch_body.h"

namespace armazem::http {

enum class BatchMember : std::uint8_t {
  op, key, value, value_base64, content_type, ttl, if_match, if_none_match, form, version, expires_at,
};
inline constexpr std::size_t batch_member_count = 11;
[[nodiscard]] std::string_view to_string(BatchMember member) noexcept;
[[nodiscard]] std::optional<BatchMember> batch_member(std::string_view name) noexcept;

struct BatchFields {
  std::array<std::optional<std::string>, batch_member_count> texts;  // all but value and ttl
  std::optional<Value> value;
  std::optional<std::int64_t> ttl_seconds;

  [[nodiscard]] std::optional<std::string>& text(BatchMember member) { return texts[static_cast<std::size_t>(member)]; }
  [[nodiscard]] bool has(BatchMember member) const noexcept {
    if (member == BatchMember::value) return value.has_value();
    if (member == BatchMember::ttl) return ttl_seconds.has_value();
    return texts[static_cast<std::size_t>(member)].has_value();
  }
};

// The problem's `field` is the member's name alone.
[[nodiscard]] std::variant<BatchOperation, Problem> make_operation(BatchFields fields, std::size_t value_bytes_max);

}  // namespace armazem::http
