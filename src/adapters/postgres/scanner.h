// Pages of live records.
//
// A page is one statement. Rows that are looked at are bounded, dead ones included, so a page may end early, or be empty,
// with more to follow; and the server cuts a page by its bytes before it sends it.
#pragma once

#include "adapters/postgres/loop_pool.h"
#include "ports/store.h"

namespace armazem::pg {

Task<Result<ScanPage>> read_page(LoopPool& pool, Counters& counters, ScanRequest request, Deadline deadline);

// The keys of a page lie in [first, end). Keys are UTF-8, so the byte 0xFF is greater than any.
struct KeyRange {
  std::string first;
  std::string end;
};
[[nodiscard]] KeyRange range_of(const ScanRequest& request);

}  // namespace armazem::pg
