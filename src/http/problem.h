// Problem details (RFC 9457): the one form of every error answer. docs/problems.md lists them for users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/message.h"

namespace armazem::http {

enum class ProblemType : std::uint8_t {
  batch_too_large, body_invalid, cursor_invalid, data_damaged, etag_invalid, expectation_failed, forbidden, headers_too_large, http_version_unsupported,
  idempotency_key_invalid, internal, json_invalid, key_invalid, method_not_allowed, not_found, not_yet_visible,
  outcome_unknown, overloaded, percent_encoding_invalid, precondition_failed, query_invalid, range_not_satisfiable, request_invalid,
  request_timeout, respond_async_conditional, route_not_found, shutting_down, store_full, store_unavailable,
  tls_on_plain_port, too_many_connections, too_many_requests, transfer_encoding_unsupported, ttl_invalid,
  unauthenticated, unsupported_media_type,
  uri_too_long, value_too_large, version_invalid, version_too_far_ahead,
};

struct ProblemInfo {
  std::string_view slug;
  int status;
  std::string_view title;
  bool retryable;
};
[[nodiscard]] const ProblemInfo& info(ProblemType type) noexcept;

struct Problem {
  ProblemType type = ProblemType::internal;
  std::string detail;                              // what is wrong here, and what to do
  std::optional<std::uint64_t> limit = {};         // for sizes: what is allowed …
  std::optional<std::uint64_t> size = {};          // … and what came
  std::optional<std::string> field = {};           // the member of the body that is meant
  std::string allow = {};                          // for 405
  std::string operation = {};                      // for 504: where to ask what became of the write
  std::optional<std::string> current_etag = {};    // for 412; an empty string is shown as null
  std::int64_t retry_after_seconds = 1;            // for 429 and 503
};

[[nodiscard]] Problem problem_of(const Error& error);

// The body alone, without a line break behind it.
void append_problem(std::string& out, const Problem& problem, std::string_view request_id);

// Replaces what `response` holds. `request_id` is echoed in header and body.
void render(const Problem& problem, std::string_view request_id, Response& response);

// The client's X-Request-Id when it is well formed, else a fresh random one.
[[nodiscard]] std::string new_request_id();
[[nodiscard]] std::string request_id_or_new(const RequestHead& head);
[[nodiscard]] bool is_request_id(std::string_view text) noexcept;

}  // namespace armazem::http
