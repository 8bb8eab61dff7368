// The body of PUT /store: {"key": string, "value": any JSON, "ttl"?: seconds}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/value.h"
#include "http/problem.h"

namespace armazem::http {

// What a value of a JSON body is stored as: a string, and anything else.
inline constexpr std::string_view text_type = "text/plain; charset=utf-8";
inline constexpr std::string_view json_type = "application/json";

struct PutBody {
  std::string key;                        // unchecked: Key::parse decides
  Value value;
  std::optional<std::int64_t> ttl_seconds;  // checked against its bounds
};

// One pass, no document in memory. A string value becomes text; any other value is kept as compact JSON text with every
// digit of its numbers as it came. Unknown, doubled, missing or mistyped members are problems that name the member.
[[nodiscard]] std::variant<PutBody, Problem> parse_put_body(std::string_view text);

// True when `text` is one complete JSON text within the depth limit.
[[nodiscard]] bool is_json(std::string_view text);

// How bytes that came with that Content-Type may be shown inside JSON.
[[nodiscard]] ValueForm form_of(std::string_view bytes, std::string_view content_type);

}  // namespace armazem::http
