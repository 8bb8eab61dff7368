#include "http/problem.h"

#include <algorithm>
#include <array>
#include <random>

#include "core/limits.h"
#include "http/json_text.h"

namespace armazem::http {
namespace {

// In the order of ProblemType.
constexpr auto problems = std::to_array<ProblemInfo>({
    {"batch-too-large", 413, "The batch is too large", false},
    {"body-invalid", 400, "The JSON body does not have the expected members", false},
    {"cursor-invalid", 400, "The cursor is not one of this list", false},
    {"data-damaged", 500, "Stored data failed its checks", false},
    {"etag-invalid", 400, "A conditional header is malformed or not supported here", false},
    {"expectation-failed", 417, "The expectation cannot be met", false},
    {"forbidden", 403, "The API key does not allow this", false},
    {"headers-too-large", 431, "The request headers are too large", false},
    {"http-version-unsupported", 505, "Only HTTP/1.1 is spoken here", false},
    {"idempotency-key-invalid", 400, "The Idempotency-Key is malformed", false},
    {"internal", 500, "Internal error", false},
    {"json-invalid", 400, "The body is not valid JSON", false},
    {"key-invalid", 400, "The key is not acceptable", false},
    {"method-not-allowed", 405, "The method is not allowed for this path", false},
    {"not-found", 404, "The key does not exist", false},
    {"not-yet-visible", 503, "The requested version is not visible yet", true},
    {"outcome-unknown", 504, "The write may or may not have happened", false},
    {"overloaded", 503, "Too many requests are waiting", true},
    {"percent-encoding-invalid", 400, "The path is not correctly percent-encoded", false},
    {"precondition-failed", 412, "The condition of the request is not met", false},
    {"query-invalid", 400, "The query string is not understood", false},
    {"range-not-satisfiable", 416, "The range lies behind the end of the value", false},
    {"request-invalid", 400, "The request is not valid HTTP/1.1", false},
    {"request-timeout", 408, "The request took too long to arrive", true},
    {"respond-async-conditional", 400, "A conditional write cannot be answered later", false},
    {"route-not-found", 404, "No such path", false},
    {"shutting-down", 503, "The server is shutting down", true},
    {"store-full", 503, "The store has no room left", true},
    {"store-unavailable", 503, "The store is not available", true},
    {"tls-on-plain-port", 400, "This port speaks HTTP, not TLS", false},
    {"too-many-connections", 503, "Too many connections", true},
    {"too-many-requests", 429, "Too many requests", true},
    {"transfer-encoding-unsupported", 501, "The transfer encoding is not supported", false},
    {"ttl-invalid", 400, "The time to live is not acceptable", false},
    {"unauthenticated", 401, "An API key is needed", false},
    {"unsupported-media-type", 415, "The content type is not acceptable", false},
    {"uri-too-long", 414, "The request target is too long", false},
    {"value-too-large", 413, "The value is too large", false},
    {"version-invalid", 400, "The version is malformed", false},
    {"version-too-far-ahead", 400, "The version lies too far in the future", false},
});
static_assert(static_cast<std::size_t>(ProblemType::version_too_far_ahead) + 1 == problems.size());

void append_member(std::string& body, std::string_view name, std::string_view value) {
  body.append(",\"").append(name).append("\":");
  append_json_string(body, value);
}

}  // namespace

const ProblemInfo& info(ProblemType type) noexcept { return problems[static_cast<std::size_t>(type)]; }

Problem problem_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::invalid_argument: return {ProblemType::request_invalid, error.message};
    case ErrorCode::overloaded: return {ProblemType::overloaded, error.message};
    case ErrorCode::unavailable: return {ProblemType::store_unavailable, error.message};
    case ErrorCode::storage_full: return {ProblemType::store_full, error.message};
    case ErrorCode::deadline_exceeded: return {ProblemType::overloaded, error.message};
    case ErrorCode::outcome_unknown: return {ProblemType::outcome_unknown, error.message};
    case ErrorCode::not_yet_visible: return {ProblemType::not_yet_visible, error.message};
    case ErrorCode::data_damaged: return {ProblemType::data_damaged, error.message};
    case ErrorCode::precondition:
    case ErrorCode::internal: return {ProblemType::internal, error.message};
  }
  return {ProblemType::internal, error.message};
}

void append_problem(std::string& out, const Problem& problem, std::string_view request_id) {
  const ProblemInfo& about = info(problem.type);
  out.append("{\"type\":\"urn:armazem:problem:").append(about.slug).append("\",\"title\":");
  append_json_string(out, about.title);
  out.append(",\"status\":").append(std::to_string(about.status));
  append_member(out, "detail", problem.detail);
  out.append(",\"retryable\":").append(about.retryable ? "true" : "false");
  append_member(out, "request_id", request_id);
  if (problem.limit) out.append(",\"limit\":").append(std::to_string(*problem.limit));
  if (problem.size) out.append(",\"size\":").append(std::to_string(*problem.size));
  if (problem.field) append_member(out, "field", *problem.field);
  if (!problem.allow.empty()) append_member(out, "allow", problem.allow);
  if (!problem.operation.empty()) append_member(out, "operation", problem.operation);
  if (problem.current_etag && problem.current_etag->empty()) out.append(",\"current_etag\":null");
  if (problem.current_etag && !problem.current_etag->empty()) append_member(out, "current_etag", *problem.current_etag);
  out.push_back('}');
}

void render(const Problem& problem, std::string_view request_id, Response& response) {
  const ProblemInfo& about = info(problem.type);
  response.clear();
  response.status = about.status;
  response.add_header("Content-Type", "application/problem+json");
  response.add_header("X-Request-Id", request_id);
  if (about.status == 429 || about.status == 503) {
    response.add_header("Retry-After", std::to_string(problem.retry_after_seconds));
  }
  if (about.status == 401) response.add_header("WWW-Authenticate", "Bearer realm=\"armazem\"");
  if (!problem.allow.empty()) response.add_header("Allow", problem.allow);
  if (problem.current_etag && !problem.current_etag->empty()) response.add_header("ETag", *problem.current_etag);
  append_problem(response.body, problem, request_id);
  response.body.push_back('\n');
}

bool is_request_id(std::string_view text) noexcept {
  constexpr std::string_view marks = "._:/+=@-";
  const auto allowed = [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || marks.find(c) != marks.npos;
  };
  return !text.empty() && text.size() <= limits::request_id_bytes_max && std::ranges::all_of(text, allowed);
}

std::string new_request_id() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string id(16, '0');
  std::uint64_t bits = generator();
  for (char& c : id) {
    c = digits[bits & 15];
    bits >>= 4;
  }
  return id;
}

std::string request_id_or_new(const RequestHead& head) {
  const auto given = head.header(Header::x_request_id);
  return given && is_request_id(*given) ? std::string(*given) : new_request_id();
}

}  // namespace armazem::http
