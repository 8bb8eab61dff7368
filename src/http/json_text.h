// Pieces of JSON text that every answer is made of.
#pragma once

#include <string>
#include <string_view>

namespace armazem::http {

// Appends `text`, which must be UTF-8, as a quoted JSON string (RFC 8259, section 7).
void append_json_string(std::string& out, std::string_view text);

}  // namespace armazem::http
