// The body of POST /batch:
//
//   {"operations":[{"op":"put","key",…,"value" or "value_base64","content_type"?,"ttl"?,"if_match"?,"if_none_match"?},
//                  {"op":"get","key"},
//                  {"op":"delete","key","if_match"?},
//                  {"op":"restore","key","value" or "value_base64","content_type"?,"form"?,"version","expires_at"?}]}
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/key.h"
#include "core/mutation.h"
#include "http/problem.h"

namespace armazem::http {

struct BatchOperation {
  enum class Kind : std::uint8_t { put, get, remove, restore };
  Kind kind = Kind::get;
  std::optional<Key> key;                      // always there
  Value value;                                 // of put and restore
  std::int64_t ttl_seconds = 0;                // of put; 0: none given
  Condition condition;                         // of put and remove
  Version version;                             // of restore
  std::optional<std::uint64_t> expires_at_ms;  // of restore
};

// One pass. A batch is understood as a whole or not at all: the problem names the operation by its place, from 0.
[[nodiscard]] std::variant<std::vector<BatchOperation>, Problem> parse_batch_body(std::string_view text,
                                                                                 std::size_t value_bytes_max);

}  // namespace armazem::http
