// The members of a JSON object as they stand in its text, so that what is passed on loses nothing: no digit of a number, no
// blank.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace armazem::cli {

struct JsonMember {
  std::string_view name;   // without its quotes, as it stands: an escape stays one
  std::string_view value;  // a complete JSON text
};

// Views into `text`. invalid_argument: it is no object, or not UTF-8; strings and brackets are checked, what else a value
// consists of is left to who reads it.
[[nodiscard]] Result<std::vector<JsonMember>> split_members(std::string_view text);

[[nodiscard]] std::optional<std::string_view> find_member(const std::vector<JsonMember>& members, std::string_view name);

// What a JSON string says; nullopt when `value` is none.
[[nodiscard]] std::optional<std::string> string_of(std::string_view value);

}  // namespace armazem::cli
