#include "http/router.h"

#include <algorithm>
#include <string>

#include "core/limits.h"
#include "http/field_values.h"
#include "http/list_query.h"
#include "http/operation_problems.h"
#include "http/percent.h"

namespace armazem::http {
namespace {

constexpr std::string_view key_prefix = "/store/";
constexpr std::string_view operation_prefix = "/operations/";
// A JSON string may need six bytes for one (\u0041); names and blanks come on top.
constexpr std::size_t json_bytes_per_byte = 6;
constexpr std::size_t json_frame_bytes = 4096;
// Bodies that mean nothing are read and dropped up to this size.
constexpr std::size_t ignored_body_bytes_max = std::size_t{1} << 20;

Route route_of(std::string_view path) noexcept {
  if (path.starts_with(key_prefix)) return Route::store_key;
  if (path == "/store") return Route::store;
  if (path == "/batch") return Route::batch;
  if (path.starts_with(operation_prefix)) return Route::operation;
  if (path == "/watch") return Route::watch;
  if (path == "/health/live") return Route::health_live;
  if (path == "/health/ready") return Route::health_ready;
  if (path == "/metrics") return Route::metrics;
  if (path == "/openapi.json") return Route::openapi;
  if (path == "/swagger-ui" || path.starts_with("/swagger-ui/")) return Route::swagger_ui;
  if (path == "/" || path.starts_with("/ui/")) return Route::dashboard;
  return Route::other;
}

bool is_read(Method method) noexcept { return method == Method::get || method == Method::head; }

bool is_console(Route route) noexcept {
  return route == Route::metrics || route == Route::openapi || route == Route::swagger_ui || route == Route::dashboard;
}

// Of a request for one key.
Right right_for(Method method) noexcept {
  if (method == Method::put) return Right::write;
  return method == Method::remove ? Right::remove : Right::read;
}

bool is_allowed(Route route, Method method) noexcept {
  if (method == Method::options) return true;
  const bool reads = is_read(method);
  if (route == Route::batch) return method == Method::post;
  if (route == Route::store) return reads || method == Method::put;
  if (route == Route::store_key) return reads || method == Method::put || method == Method::remove;
  return reads;
}

bool is_write(Method method) noexcept { return method == Method::put || method == Method::remove; }

Problem far_ahead(const Error& error) { return {ProblemType::version_too_far_ahead, error.message}; }

}  // namespace

std::string_view allowed_methods(Route route) noexcept {
  if (route == Route::batch) return "POST, OPTIONS";
  if (route == Route::store) return "GET, HEAD, PUT, OPTIONS";
  if (route == Route::store_key) return "GET, HEAD, PUT, DELETE, OPTIONS";
  return "GET, HEAD, OPTIONS";
}

std::optional<Problem> Router::admit(Request& request) const {
  const std::string_view target = request.head.target;
  const auto mark = target.find('?');
  request.path = target.substr(0, mark);
  request.query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  request.route = route_of(request.path);
  if (consoles_elsewhere_ && is_console(request.route)) request.route = Route::other;
  set_body_limit(request);
  if (access_ != nullptr) {
    if (auto problem = access_->admit(request)) return problem;
  }
  if (request.head.target == "*") return std::nullopt;  // OPTIONS *
  if (request.route == Route::other) {
    return Problem{ProblemType::route_not_found,
                   consoles_elsewhere_ ? "there is nothing at this path; figures and pages are at --admin-listen"
                                       : "there is nothing at this path; /swagger-ui/index.html shows what there is"};
  }
  if (!is_allowed(request.route, request.head.method)) {
    Problem problem{ProblemType::method_not_allowed, "this path understands " + std::string(allowed_methods(request.route))};
    problem.allow = allowed_methods(request.route);
    return problem;
  }
  if (request.head.method == Method::options) return std::nullopt;
  if (request.route == Route::store_key) {
    if (auto problem = find_key(request, request.path.substr(key_prefix.size()))) return problem;
    if (auto problem = check_access(request, right_for(request.head.method), request.key->text())) return problem;
    if (auto problem = check_query(request)) return problem;
  }
  if (request.route == Route::batch) return check_batch(request);
  if (request.route == Route::operation) {
    if (auto problem = find_operation(request)) return problem;
    return check_access(request, Right::read, request.key->text());
  }
  if (request.route == Route::metrics) return check_access(request, Right::admin, {});
  if (is_write(request.head.method)) return check_write(request);
  if (request.route == Route::store) return find_list(request);
  return request.route == Route::store_key ? check_read(request) : std::nullopt;
}

std::optional<Problem> Router::find_operation(Request& request) const {
  const Result<Version> operation = Version::parse(request.path.substr(operation_prefix.size()));
  if (!operation) return Problem{ProblemType::version_invalid, operation.error().message};
  request.operation = *operation;
  constexpr std::string_view parameter = "key=";
  if (request.query.starts_with(parameter) && request.query.find('&') == request.query.npos) {
    return find_key(request, request.query.substr(parameter.size()));
  }
  return Problem{ProblemType::query_invalid, "an operation is asked for with ?key=, the key percent-encoded"};
}

std::optional<Problem> Router::find_list(Request& request) const {
  std::variant<ListQuery, Problem> parsed = parse_list_query(request.query);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  request.list = std::get<ListQuery>(std::move(parsed));
  return check_access(request, Right::read, request.list.prefix);
}

std::optional<Problem> Router::find_key(Request& request, std::string_view encoded) const {
  auto decoded = percent_decode(encoded);
  if (!decoded) {
    return Problem{ProblemType::percent_encoding_invalid, "a '%' in the key is not followed by two hex digits"};
  }
  const std::size_t size = decoded->size();
  Result<Key> key = Key::parse(std::move(*decoded));
  if (!key) {
    Problem problem{ProblemType::key_invalid, key.error().message};
    if (size > limits::key_bytes_max) {
      problem.limit = limits::key_bytes_max;
      problem.size = size;
    }
    return problem;
  }
  request.key = std::move(*key);
  return std::nullopt;
}

std::optional<Problem> Router::check_query(Request& request) const {
  if (request.query.empty()) return std::nullopt;
  request.raw = request.query == "raw" || request.query == "raw=true";
  if (is_read(request.head.method) && (request.raw || request.query == "raw=false")) return std::nullopt;
  return Problem{ProblemType::query_invalid,
                 "only ?raw, ?raw=true and ?raw=false are understood, on GET and HEAD; a '?' in a key is written %3F"};
}

std::optional<Problem> Router::check_read(Request& request) const {
  for (const Header name : {Header::if_match, Header::if_none_match}) {
    const auto value = request.head.header(name);
    if (value && !parse_entity_tags(*value)) {
      return Problem{ProblemType::etag_invalid, "a conditional header needs entity tags in double quotes, or *"};
    }
  }
  const auto cache_control = request.head.header(Header::cache_control);
  request.read.strong = cache_control && asks_past_caches(*cache_control);
  return check_token(request.head, request.read.at_least);
}

// A write that comes with a version its client has seen is stamped above it, whatever this server's own clock says.
std::optional<Problem> Router::check_token(const RequestHead& head, Version& into) const {
  const auto token = head.header(Header::armazem_min_version);
  if (!token) return std::nullopt;
  const Result<Version> version = Version::parse(without_coding(*token));
  if (!version) return Problem{ProblemType::version_invalid, version.error().message};
  if (auto seen = clock_.observe(*version); !seen) return far_ahead(seen.error());
  into = *version;
  return std::nullopt;
}

std::optional<Problem> Router::check_write(Request& request) const {
  if (auto problem = check_condition(request)) return problem;
  Version seen;
  if (auto problem = check_token(request.head, seen)) return problem;
  if (const auto ttl = request.head.header(Header::armazem_ttl)) {
    const auto seconds = parse_ttl(*ttl);
    if (!seconds) {
      return Problem{ProblemType::ttl_invalid, "Armazem-TTL must be a whole number of seconds from 1 to 315360000"};
    }
    request.write.ttl_seconds = *seconds;
  }
  if (const auto given = request.head.header(Header::idempotency_key)) {
    if (!is_idempotency_key(*given)) {
      return Problem{ProblemType::idempotency_key_invalid, "the Idempotency-Key must be 1 to 255 visible ASCII characters"};
    }
    request.write.idempotency_key = *given;
  }
  if (const auto prefer = request.head.header(Header::prefer)) {
    const Preferences preferences = parse_prefer(*prefer);
    request.write.wait_seconds = preferences.wait_seconds;
    request.write.respond_async = preferences.respond_async;
    if (preferences.respond_async && request.write.condition.kind != Condition::Kind::none) {
      return respond_async_conditional();
    }
  }
  return request.head.method == Method::remove ? std::nullopt : check_media_type(request);
}

// What a header cannot say for many operations at once.
std::optional<Problem> Router::check_batch(Request& request) const {
  if (request.head.header(Header::if_match) || request.head.header(Header::if_none_match)) {
    return Problem{ProblemType::etag_invalid, "the conditions of a batch stand in its operations: if_match, if_none_match"};
  }
  if (request.head.header(Header::armazem_ttl)) {
    return Problem{ProblemType::ttl_invalid, "the times to live of a batch stand in its operations: ttl"};
  }
  const auto cache_control = request.head.header(Header::cache_control);
  request.read.strong = cache_control && asks_past_caches(*cache_control);
  return check_write(request);
}

std::optional<Problem> Router::check_condition(Request& request) const {
  const auto if_match = request.head.header(Header::if_match);
  const auto if_none_match = request.head.header(Header::if_none_match);
  if (!if_match && !if_none_match) return std::nullopt;
  const auto tags = parse_entity_tags(if_match ? *if_match : *if_none_match);
  if (!tags || (if_match && if_none_match) || tags->tags.size() > 1) {
    return Problem{ProblemType::etag_invalid, "a write takes one condition: If-None-Match: *, If-Match: * or If-Match: \"version\""};
  }
  Condition& condition = request.write.condition;
  if (if_none_match) {
    if (!tags->any) return Problem{ProblemType::etag_invalid, "a write understands If-None-Match only with *"};
    condition.kind = Condition::Kind::if_absent;
    return std::nullopt;
  }
  condition.kind = tags->any ? Condition::Kind::if_present : Condition::Kind::if_version;
  if (tags->any || tags->tags.front().weak) return std::nullopt;  // a weak tag never matches: the nil version stays
  const Result<Version> version = Version::parse(without_coding(tags->tags.front().opaque));
  if (!version) return std::nullopt;  // no version of ours: cannot match
  if (auto seen = clock_.observe(*version); !seen) return far_ahead(seen.error());
  condition.version = *version;
  return std::nullopt;
}

std::optional<Problem> Router::check_media_type(const Request& request) const {
  const auto encoding = request.head.header(Header::content_encoding);
  if (encoding && !equal_ignoring_case(*encoding, "identity")) {
    return Problem{ProblemType::unsupported_media_type, "a Content-Encoding is not accepted; send the plain bytes"};
  }
  const auto type = request.head.header(Header::content_type);
  if (request.route == Route::store_key) {
    if (!type || parse_media_type(*type)) return std::nullopt;
    return Problem{ProblemType::unsupported_media_type, "the Content-Type is malformed; expected something like text/plain"};
  }
  const auto media = type ? parse_media_type(*type) : std::nullopt;
  const bool json = media && equal_ignoring_case(media->type, "application") && equal_ignoring_case(media->subtype, "json");
  if (!json || (media->charset && !equal_ignoring_case(*media->charset, "utf-8"))) {
    return Problem{ProblemType::unsupported_media_type, "this path needs Content-Type: application/json (in UTF-8)"};
  }
  return std::nullopt;
}

void Router::set_body_limit(Request& request) const noexcept {
  const bool batch = request.route == Route::batch && request.head.method == Method::post;
  request.drop_body = request.head.method != Method::put && !batch;
  if (request.drop_body) {
    request.body_bytes_max = ignored_body_bytes_max;
  } else if (batch) {
    request.body_bytes_max = std::max(limits::batch_body_bytes_min, 2 * value_bytes_max_);
  } else if (request.route == Route::store) {
    request.body_bytes_max = json_bytes_per_byte * (value_bytes_max_ + limits::key_bytes_max) + json_frame_bytes;
  } else {
    request.body_bytes_max = value_bytes_max_;
  }
}

}  // namespace armazem::http
