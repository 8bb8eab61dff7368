#include "http/list_handlers.h"

#include <utility>

#include "core/list_cursor.h"
#include "http/entry_json.h"
#include "http/problem.h"
#include "http/read_answer.h"

namespace armazem::http {
namespace {

// Other connections of the loop get their turn after each such piece of a page.
constexpr std::size_t bytes_in_a_row_max = 256 * 1024;

ListRequest request_of(const ListQuery& query) {
  ListRequest request;
  request.prefix = query.prefix;
  request.after = query.after;
  request.entries_max = query.limit.value_or(limits::list_entries_default);
  request.keys_only = query.keys_only;
  return request;
}

EntryValue value_of(const ListQuery& query) noexcept {
  if (query.keys_only) return EntryValue::left_out;
  return query.base64 ? EntryValue::base64 : EntryValue::readable;
}

Task<void> append_entries(std::string& out, const ScanPage& page, EntryValue value) {
  std::size_t rested_at = out.size();
  for (const ScanEntry& entry : page.entries) {
    if (&entry != &page.entries.front()) out.push_back(',');
    append_entry(out, entry.key.text(), entry.record, entry.value_bytes, value);
    if (out.size() - rested_at < bytes_in_a_row_max) continue;
    rested_at = out.size();
    co_await yield_now();
  }
}

void append_next(std::string& out, const ListQuery& query, const ScanPage& page) {
  if (page.next_after) out.append(",\"next\":\"").append(encode_list_cursor(query.prefix, *page.next_after)).append("\"");
}

}  // namespace

Task<Done> ListHandlers::handle(Request& request, Response& response) {
  const Deadline deadline = Deadline::after(request.begun, timeout_);
  ListRequest asked = request_of(request.list);
  const Result<ScanPage> page = co_await lister_.page(std::move(asked), deadline);
  if (!page) {
    render(problem_of(page.error()), request_id_or_new(request.head), response);
    co_return Done{};
  }
  response.headers.append("Content-Type: application/json\r\nCache-Control: no-cache\r\nArmazem-Source: store\r\n");
  echo_request_id(request.head, response);
  response.body.append("{\"entries\":[");
  co_await append_entries(response.body, *page, value_of(request.list));
  response.body.push_back(']');
  append_next(response.body, request.list, *page);
  response.body.append("}\n");
  co_return Done{};
}

}  // namespace armazem::http
