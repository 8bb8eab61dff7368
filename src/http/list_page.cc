#include "http/list_page.h"

#include "core/list_cursor.h"
#include "http/entry_json.h"

namespace armazem::http {
namespace {

EntryValue value_of(const ListQuery& query) noexcept {
  if (query.keys_only) return EntryValue::left_out;
  return query.base64 ? EntryValue::base64 : EntryValue::readable;
}

}  // namespace

ListRequest list_request(const ListQuery& query) {
  ListRequest request;
  request.prefix = query.prefix;
  request.after = query.after;
  request.entries_max = query.limit.value_or(limits::list_entries_default);
  request.keys_only = query.keys_only;
  return request;
}

void append_entry(std::string& out, const ScanEntry& entry, const ListQuery& query) {
  append_entry(out, entry.key.text(), entry.record, entry.value_bytes, value_of(query));
}

void append_next(std::string& out, std::string_view prefix, std::string_view after) {
  out.append(",\"next\":\"").append(encode_list_cursor(prefix, after)).append("\"");
}

}  // namespace armazem::http
