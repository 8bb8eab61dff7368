// What a list is asked for: the query of GET /store.
#pragma once

#include <string_view>
#include <variant>

#include "http/message.h"
#include "http/problem.h"

namespace armazem::http {

// prefix, after, limit, keys_only, values; each at most once, nothing else. `after` must be a cursor of the same prefix.
[[nodiscard]] std::variant<ListQuery, Problem> parse_list_query(std::string_view query);

}  // namespace armazem::http
