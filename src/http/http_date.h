#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace armazem::http {

// IMF-fixdate (RFC 9110, section 5.6.7): "Mon, 23 Nov 2026 21:00:00 GMT". Always 29 characters up to the year 9999.
void append_http_date(std::string& out, std::uint64_t unix_seconds);

// RFC 3339 in UTC with milliseconds: "2026-11-23T21:00:00.123Z".
[[nodiscard]] std::string rfc3339(std::uint64_t unix_ms);
// Exactly that form, from 1970 on, with or without the fraction (of one to three digits); nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_rfc3339(std::string_view text);

}  // namespace armazem::http
