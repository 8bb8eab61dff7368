// The cursor of a list: where the next page begins, for the client to send back as it came.
//
// Base64url, so that it needs no encoding in a query, of
//   byte 0        format, 0x01
//   bytes 1..4    checksum over prefix and key, little-endian
//   the rest      the key behind which the list goes on
// The checksum binds the cursor to its prefix, so that a cursor of another list, or half of one, is an error and not a
// silent jump. It is no secret: who can read the list may make one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace armazem {

[[nodiscard]] std::string encode_list_cursor(std::string_view prefix, std::string_view after_key);

// The key; nullopt when `text` is not a cursor of a list with this prefix.
[[nodiscard]] std::optional<std::string> decode_list_cursor(std::string_view prefix, std::string_view text);

}  // namespace armazem
