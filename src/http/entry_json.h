// A key with what is stored under it, as one JSON object: an entry of a list, a line of a stream, an event of a watch.
//
//   {"key":…,"version":"…","size":…,"content_type":"…","expires_at":"…","value":… or "value_base64":"…"}
//
// `size` is that of the value in bytes. `expires_at` is only there for a value that expires.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/record.h"

namespace armazem::http {

enum class EntryValue {
  readable,  // text as a string, JSON as it is, other bytes in base64
  base64,    // always in base64: what comes back has the very same bytes
  left_out,
};

// Never a line break in it, whatever the value is: those between the tokens of a JSON value become blanks.
void append_entry(std::string& out, std::string_view key, const Record& record, std::size_t value_bytes, EntryValue form);

// The same without the braces.
void append_entry_members(std::string& out, std::string_view key, const Record& record, std::size_t value_bytes, EntryValue form);

// `"value":…` or `"value_base64":"…"`. A JSON value keeps its line breaks.
void append_value_member(std::string& out, const Value& value);

}  // namespace armazem::http
