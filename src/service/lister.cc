#include "service/lister.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "service/place.h"

namespace armazem {
namespace {

std::size_t bytes_of(const ScanPage& page) {
  std::size_t bytes = 0;
  for (const ScanEntry& entry : page.entries) bytes += entry.key.text().size() + entry.record.value.bytes.size();
  return bytes;
}

void append(ScanPage& page, ScanPage more) {
  page.next_after = std::move(more.next_after);
  if (page.entries.empty()) {
    page.entries = std::move(more.entries);
  } else {
    std::ranges::move(more.entries, std::back_inserter(page.entries));
  }
}

}  // namespace

Task<Result<ScanPage>> Lister::page(ListRequest request, Deadline deadline) {
  const Place place(pages_now_);
  if (place.before() >= options_.pages_max) co_return fail(ErrorCode::overloaded, "too many lists are being made");
  const MonotonicTime stop = time_.now() + options_.page_time;
  ScanRequest scan{std::move(request.prefix), std::move(request.after), request.entries_max, request.bytes_max,
                   request.keys_only, time_.wall_ms()};
  ScanPage page;
  // A store looks at a bounded number of records at a time, dead ones included; so its pages may be short.
  while (true) {
    Result<ScanPage> found = co_await store_.scan(scan, deadline);
    if (!found) co_return fail(std::move(found.error()));
    const std::size_t bytes = bytes_of(*found);
    const std::size_t entries = found->entries.size();
    append(page, std::move(*found));
    const bool full = entries == scan.limit || bytes >= scan.bytes_max;
    if (full || !page.next_after || time_.now() >= stop) co_return page;
    scan.limit -= entries;
    scan.bytes_max -= bytes;
    scan.after = page.next_after;
  }
}

}  // namespace armazem
