#include "http/entry_json.h"

#include <algorithm>

#include "core/base64.h"
#include "http/http_date.h"
#include "http/json_text.h"

namespace armazem::http {
namespace {

void append_base64_member(std::string& out, std::string_view bytes) {
  out.append("\"value_base64\":\"");
  append_base64(out, bytes);
  out.push_back('"');
}

// Line breaks inside JSON strings are escaped, so the raw ones only part tokens.
void append_on_one_line(std::string& out, const Value& value) {
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  append_value_member(out, value);
  if (value.form != ValueForm::json) return;
  std::replace_if(out.begin() + begin, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

}  // namespace

void append_value_member(std::string& out, const Value& value) {
  if (value.form == ValueForm::bytes) return append_base64_member(out, value.bytes);
  out.append("\"value\":");
  if (value.form == ValueForm::json) {
    out.append(value.bytes);
  } else {
    append_json_string(out, value.bytes);
  }
}

void append_entry(std::string& out, std::string_view key, const Record& record, std::size_t value_bytes, EntryValue form) {
  out.push_back('{');
  append_entry_members(out, key, record, value_bytes, form);
  out.push_back('}');
}

void append_entry_members(std::string& out, std::string_view key, const Record& record, std::size_t value_bytes, EntryValue form) {
  out.append("\"key\":");
  append_json_string(out, key);
  out.append(",\"version\":\"").append(record.version.text());
  out.append("\",\"size\":").append(std::to_string(value_bytes)).append(",\"content_type\":");
  append_json_string(out, record.value.content_type);
  if (record.expires_at_ms) out.append(",\"expires_at\":\"").append(rfc3339(*record.expires_at_ms)).append("\"");
  if (form != EntryValue::left_out) out.push_back(',');
  if (form == EntryValue::readable) append_on_one_line(out, record.value);
  if (form == EntryValue::base64) append_base64_member(out, record.value.bytes);
}

}  // namespace armazem::http
