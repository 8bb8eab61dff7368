#include "http/access.h"

#include <algorithm>
#include <string>
#include <utility>

#include "http/field_values.h"
#include "http/http_date.h"
#include "runtime/log.h"

namespace armazem::http {
namespace {

// Of one client; what a person can still read, and a storm cannot fill a disk with.
constexpr std::uint64_t log_lines_per_minute = 60;
constexpr std::uint64_t recorded_lines_per_minute = 600;

bool is_health(Route route) noexcept { return route == Route::health_live || route == Route::health_ready; }

// Pages are open: they hold no data, and what they ask for is asked for with a key.
bool asks_for_key(Route route) noexcept {
  switch (route) {
    case Route::health_live:
    case Route::health_ready:
    case Route::openapi:
    case Route::swagger_ui:
    case Route::dashboard:
    case Route::other: return false;
    default: return true;  // a new route asks until it is told otherwise
  }
}

RateLimiter::Subject subject_of(std::string_view id) noexcept {
  static_assert(std::tuple_size_v<RateLimiter::Subject> == key_id_chars);
  RateLimiter::Subject subject{};
  std::copy_n(id.begin(), std::min(id.size(), subject.size()), subject.begin());
  return subject;
}

Problem too_many(std::string detail, std::chrono::nanoseconds wait) {
  Problem problem{ProblemType::too_many_requests, std::move(detail)};
  problem.retry_after_seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(wait).count());
  return problem;
}

// RFC 6750, section 2.1; the scheme is case-insensitive (RFC 9110, section 11.1).
std::optional<KeyText> bearer_of(std::string_view authorization) noexcept {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() < scheme.size() || !equal_ignoring_case(authorization.substr(0, scheme.size()), scheme)) {
    return std::nullopt;
  }
  return split_key_text(authorization.substr(scheme.size()));
}

}  // namespace

std::string_view Access::to_string(Denial denial) noexcept {
  constexpr std::array<std::string_view, denial_count> names{"no-key",    "bad-key",      "bad-keys-rate",
                                                             "forbidden", "address-rate", "key-rate"};
  return names[static_cast<std::size_t>(denial)];
}

Access::Access(const KeyRing* keys, const AccessOptions& options, const TimeSource& time)
    : keys_(keys),
      time_(time),
      per_address_(options.per_address),
      per_key_(options.per_key),
      bad_keys_(options.bad_keys),
      log_lines_(Rate::per(std::chrono::minutes(1), log_lines_per_minute, log_lines_per_minute)),
      recorded_lines_(Rate::per(std::chrono::minutes(1), recorded_lines_per_minute, recorded_lines_per_minute)) {}

std::optional<Problem> Access::admit(Request& request) {
  if (!is_health(request.route)) {
    if (const auto wait = per_address_.take(network_of(request.peer), request.begun)) {
      deny(request, Denial::address_rate, {});
      return too_many("this address asks more often than it may", *wait);
    }
  }
  const bool guarded = keys_ != nullptr && asks_for_key(request.route) && request.head.method != Method::options;
  return guarded ? authenticate(request) : std::nullopt;
}

std::optional<Problem> Access::authenticate(Request& request) {
  const auto authorization = request.head.header(Header::authorization);
  if (!authorization) {
    deny(request, Denial::no_key, {});
    return Problem{ProblemType::unauthenticated, "an API key is needed: send 'Authorization: Bearer <id>.<secret>'"};
  }
  const auto given = bearer_of(*authorization);
  if (!given) return refuse_key(request, {}, "the Authorization header must be 'Bearer <id>.<secret>', as 'armazem keys create' printed it");
  const KeyRing::Found found = keys_->find(*given, time_.wall_ms());
  switch (found.verdict) {
    case KeyRing::Verdict::unknown:
      return refuse_key(request, keys_->knows(given->id) ? given->id : std::string_view(), "there is no such API key");
    case KeyRing::Verdict::revoked: return refuse_key(request, given->id, "this API key was revoked at " + rfc3339(*found.key->revoked_at_ms));
    case KeyRing::Verdict::expired: return refuse_key(request, given->id, "this API key expired at " + rfc3339(*found.key->expires_at_ms));
    case KeyRing::Verdict::accepted: break;
  }
  if (const auto wait = per_key_.take(subject_of(found.key->id), request.begun)) {
    deny(request, Denial::key_rate, found.key->id);
    return too_many("this API key asks more often than it may", *wait);
  }
  request.identity = {this, found.key};
  return std::nullopt;
}

// What was wrong is only told to who has the secret: an id alone must not find out whether it is one.
Problem Access::refuse_key(const Request& request, std::string_view id, std::string detail) {
  if (const auto wait = bad_keys_.take(network_of(request.peer), request.begun)) {
    deny(request, Denial::bad_keys_rate, {});
    return too_many("too many requests with wrong API keys came from this address", *wait);
  }
  deny(request, Denial::bad_key, id);
  return {ProblemType::unauthenticated, std::move(detail)};
}

std::optional<Problem> Access::check(const Request& request, Right right, std::string_view key_or_prefix) {
  const ApiKey& key = *request.identity.key;
  if (key.allows(right, key_or_prefix)) return std::nullopt;
  const std::string_view name = armazem::to_string(right);
  deny(request, Denial::forbidden, key.id, name);
  return Problem{ProblemType::forbidden, "this API key has no right to " + std::string(right == Right::admin ? "administer" : name) +
                                             " here; 'armazem keys list' shows what it may do"};
}

bool Access::still_allows(const Identity& identity, Right right, std::string_view key_or_prefix) const {
  const auto now = keys_->renew(*identity.key, time_.wall_ms());
  return now && now->allows(right, key_or_prefix);
}

void Access::record(const Request& request, std::string_view what) {
  const std::string& id = request.identity.key->id;
  if (!may_log(recorded_lines_, subject_of(id), request.begun)) return;
  log::info("access", {{"event", "access"}, {"outcome", "allowed"}, {"operation", what}, {"key_id", id},
                       {"address", to_text(request.peer)}});
}

void Access::deny(const Request& request, Denial denial, std::string_view id, std::string_view right) {
  denied_[static_cast<std::size_t>(denial)].fetch_add(1, std::memory_order_relaxed);
  // Who only knows an id, which is no secret, must not use up the lines of whoever has the key.
  const bool proven = !id.empty() && denial != Denial::bad_key;
  if (!may_log(log_lines_, proven ? subject_of(id) : network_of(request.peer), request.begun)) return;
  const auto given = request.head.header(Header::x_request_id);
  const std::string_view request_id = given && is_request_id(*given) ? *given : std::string_view();
  log::info("access", {{"event", "access"}, {"outcome", "denied"}, {"reason", to_string(denial)}, {"right", right},
                       {"key_id", id}, {"method", http::to_string(request.head.method)},
                       {"route", http::to_string(request.route)}, {"address", to_text(request.peer)},
                       {"request_id", request_id}});
}

bool Access::may_log(RateLimiter& lines, const RateLimiter::Subject& subject, MonotonicTime now) {
  if (!log::enabled(log::Level::info)) return false;
  if (!lines.take(subject, now)) return true;
  unlogged_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

std::optional<Problem> check_access(const Request& request, Right right, std::string_view key_or_prefix) {
  Access* const access = request.identity.access;
  return access == nullptr ? std::nullopt : access->check(request, right, key_or_prefix);
}

void record_access(const Request& request, std::string_view what) {
  if (request.identity.access != nullptr) request.identity.access->record(request, what);
}

bool still_allowed(const Identity& identity, Right right, std::string_view key_or_prefix) {
  return identity.access == nullptr || identity.access->still_allows(identity, right, key_or_prefix);
}

}  // namespace armazem::http
