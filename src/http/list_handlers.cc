#include "http/list_handlers.h"

#include <utility>

#include "http/field_values.h"
#include "http/gzip.h"
#include "http/list_page.h"
#include "http/list_stream.h"
#include "http/problem.h"
#include "http/read_answer.h"

namespace armazem::http {
namespace {

// Other connections of the loop get their turn after each such piece of a page.
constexpr std::size_t bytes_in_a_row_max = 256 * 1024;

bool wants_lines(const Request& request) {
  const auto accept = request.head.header(Header::accept);
  return accept && accepts_json_lines(*accept);
}

void refuse(const Request& request, const Error& error, Response& response) {
  render(problem_of(error), request_id_or_new(request.head), response);
}

void add_headers(const Request& request, std::string_view type, Response& response) {
  response.add_header("Content-Type", type);
  response.headers.append("Cache-Control: no-cache\r\nVary: Accept, Accept-Encoding\r\nArmazem-Source: store\r\n");
  echo_request_id(request.head, response);
}

Task<void> append_entries(std::string& out, const ScanPage& page, const ListQuery& query) {
  std::size_t rested_at = out.size();
  for (const ScanEntry& entry : page.entries) {
    if (&entry != &page.entries.front()) out.push_back(',');
    append_entry(out, entry, query);
    if (out.size() - rested_at < bytes_in_a_row_max) continue;
    rested_at = out.size();
    co_await yield_now();
  }
}

}  // namespace

Task<Done> ListHandlers::handle(Request& request, Response& response) {
  return wants_lines(request) ? stream(request, response) : page(request, response);
}

Task<Done> ListHandlers::page(Request& request, Response& response) {
  ListRequest asked = list_request(request.list);
  const Result<ScanPage> page = co_await lister_.page(std::move(asked), Deadline::after(request.begun, timeout_));
  if (!page) {
    refuse(request, page.error(), response);
    co_return Done{};
  }
  add_headers(request, "application/json", response);
  response.body.append("{\"entries\":[");
  co_await append_entries(response.body, *page, request.list);
  response.body.push_back(']');
  if (page->next_after) append_next(response.body, request.list.prefix, *page->next_after);
  response.body.append("}\n");
  if (is_worth_gzip("application/json", response.body.size()) && accepts_gzip(request.head)) gzip_body(response);
  co_return Done{};
}

Task<Done> ListHandlers::stream(Request& request, Response& response) {
  auto lines = std::make_unique<ListStream>(lister_, request.list, timeout_, request_id_or_new(request.head));
  const Result<void> begun = co_await lines->begin();
  if (!begun) {
    refuse(request, begun.error(), response);
    co_return Done{};
  }
  add_headers(request, "application/x-ndjson", response);
  response.headers.append("X-Accel-Buffering: no\r\n");  // for NGINX: a proxy shall not gather it on its disk
  response.stream = std::move(lines);
  co_return Done{};
}

}  // namespace armazem::http
