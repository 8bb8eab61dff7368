#include "http/list_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/list_cursor.h"
#include "http/list_page.h"
#include "http/problem.h"

namespace armazem::http {
namespace {

// Large enough to pay for a call of the store, small enough that a thousand readers fit.
constexpr std::size_t piece_bytes = 256 * 1024;

}  // namespace

Task<Result<void>> ListStream::begin() {
  Result<ScanPage> page = co_await next_page();
  if (!page) co_return fail(std::move(page.error()));
  first_ = std::move(*page);
  co_return Result<void>();
}

Task<Result<std::string>> ListStream::next() {
  if (failed_) co_return fail(ErrorCode::unavailable, "the store failed in the middle of a list");
  std::string piece;
  // A page may be empty although more follows; an empty piece would be the end.
  while (piece.empty() && !ended_) {
    if (stopped_ || !more_ || entries_left() == 0) {
      append_end(piece);
      break;
    }
    Result<ScanPage> page = ScanPage();
    if (first_) {
      page = *std::exchange(first_, std::nullopt);
    } else {
      page = co_await next_page();
    }
    if (!page) co_return last_words(page.error());
    append_page(piece, *page);
  }
  co_return piece;
}

Task<Result<ScanPage>> ListStream::next_page() {
  ListRequest request = list_request(query_);
  request.entries_max = std::min(entries_left(), limits::scan_entries_max);
  request.bytes_max = piece_bytes;
  co_return co_await lister_.page(std::move(request), Deadline::after(MonotonicClock::now(), page_timeout_));
}

void ListStream::append_page(std::string& piece, const ScanPage& page) {
  for (const ScanEntry& entry : page.entries) {
    append_entry(piece, entry, query_);
    piece.push_back('\n');
  }
  entries_ += page.entries.size();
  more_ = page.next_after.has_value();
  if (more_) query_.after = page.next_after;
}

void ListStream::append_end(std::string& piece) {
  ended_ = true;
  piece.append("{\"end\":true,\"entries\":").append(std::to_string(entries_));
  if (more_ && query_.after) append_next(piece, query_.prefix, *query_.after);
  piece.append("}\n");
}

std::string ListStream::last_words(const Error& error) {
  failed_ = true;
  std::string piece = "{\"problem\":";
  append_problem(piece, problem_of(error), request_id_);
  return piece.append("}\n");
}

std::size_t ListStream::entries_left() const noexcept {
  return query_.limit ? *query_.limit - entries_ : std::numeric_limits<std::size_t>::max();
}

}  // namespace armazem::http
