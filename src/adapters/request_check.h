// The bounds of the port's requests, checked the same by every store.
#pragma once

#include <span>
#include <string>

#include "ports/changes.h"
#include "ports/store.h"

namespace armazem {

[[nodiscard]] inline Result<void> check_request(std::span<const Mutation> mutations) {
  if (mutations.size() <= limits::batch_mutations_max) return {};
  return fail(ErrorCode::invalid_argument, "a batch has at most " + std::to_string(limits::batch_mutations_max) +
                                               " mutations, this one " + std::to_string(mutations.size()));
}

[[nodiscard]] inline Result<void> check_request(const ScanRequest& request) {
  if (request.limit >= 1 && request.limit <= limits::scan_entries_max) return {};
  return fail(ErrorCode::invalid_argument, "a page has 1 to " + std::to_string(limits::scan_entries_max) +
                                               " entries, asked for " + std::to_string(request.limit));
}

[[nodiscard]] inline Result<void> check_request(const ChangesRequest& request) {
  if (request.limit >= 1 && request.limit <= limits::change_page_max) return {};
  return fail(ErrorCode::invalid_argument, "a page has 1 to " + std::to_string(limits::change_page_max) +
                                               " changes, asked for " + std::to_string(request.limit));
}

[[nodiscard]] inline tl::unexpected<Error> too_late(std::string_view what) {
  return fail(ErrorCode::deadline_exceeded, std::string(what) + " did not begin before its deadline");
}

}  // namespace armazem
