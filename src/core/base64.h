// Base64 (RFC 4648): the standard alphabet with padding for values, the URL alphabet without padding for cursors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace armazem {

void append_base64(std::string& out, std::string_view bytes);
void append_base64url(std::string& out, std::string_view bytes);

// Strict: no blanks, no other alphabet, padding exactly as it is written above, and no set bits that mean nothing; so there
// is one text for each content.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace armazem
