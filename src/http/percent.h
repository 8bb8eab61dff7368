// Percent-encoding (RFC 3986, section 2.1) of keys in paths. Only %XX means anything: a plus is a plus.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace armazem::http {

// Decodes exactly once; nullopt when a '%' is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

// Encodes all but unreserved characters and '/', so that the result is a valid path that decodes to `text`.
[[nodiscard]] std::string percent_encode_path(std::string_view text);

}  // namespace armazem::http
