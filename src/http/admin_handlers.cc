#include "http/admin_handlers.h"

#include <prometheus/metric_family.h>

#include <string>
#include <utility>

#include "core/task_scope.h"
#include "web/assets.h"
#include "http/field_values.h"
#include "http/gunzip.h"
#include "http/gzip.h"
#include "http/json_text.h"
#include "http/read_answer.h"
#include "runtime/build_info.h"

namespace armazem::http {
namespace {

constexpr std::chrono::seconds health_timeout{2};
// Swagger UI draws with data: images; everything else only ever comes from here.
constexpr std::string_view page_policy =
    "Content-Security-Policy: default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";

void answer_json(Response& response, int status, std::string body) {
  response.status = status;
  response.headers.append("Content-Type: application/json\r\nCache-Control: no-store\r\n");
  response.body = std::move(body);
}

std::string_view asset_path(const Request& request) {
  if (request.route == Route::swagger_ui && request.path.size() <= std::string_view("/swagger-ui/").size()) {
    return "/swagger-ui/index.html";
  }
  return request.path;
}

struct CheckResult {
  const HealthCheck& check;
  HealthCheck::State state;
};

// One tier may be lost completely and service goes on: readiness must not send clients away from every server at once.
bool enough(const std::vector<CheckResult>& results) {
  bool alternatives = false;
  bool one_is_well = false;
  for (const auto& [check, state] : results) {
    if (check.need == HealthCheck::Need::required && !state.ok) return false;
    if (check.need != HealthCheck::Need::alternative) continue;
    alternatives = true;
    one_is_well = one_is_well || state.ok;
  }
  return one_is_well || !alternatives;
}

void append_check(std::string& body, std::string_view name, bool ok, std::string_view detail) {
  body.append("{\"name\":\"").append(name).append("\",\"status\":\"").append(ok ? "ok" : "failed").append("\",\"detail\":");
  append_json_string(body, detail);
  body.append("}");
}

Task<void> ask(const HealthCheck& check, Deadline deadline, HealthCheck::State& state) {
  state = co_await check.ask(deadline);
}

std::string ready_body(const std::vector<CheckResult>& results, bool stopping, bool verbose, MonotonicTime started) {
  std::string body = enough(results) && !stopping ? "{\"status\":\"ready\"" : "{\"status\":\"not-ready\"";
  if (verbose) {
    body.append(",\"checks\":[");
    for (const auto& [check, state] : results) {
      append_check(body, check.name, state.ok, state.detail);
      body.append(",");
    }
    append_check(body, "server", !stopping, stopping ? "shutting down" : "serving");
    body.append("],\"version\":");
    append_json_string(body, build::version);
    const auto up = std::chrono::duration_cast<std::chrono::seconds>(MonotonicClock::now() - started);
    body.append(",\"uptime_seconds\":").append(std::to_string(up.count()));
  }
  return body + "}\n";
}

}  // namespace

AdminHandlers::AdminHandlers(std::vector<HealthCheck> checks, const ServerMetrics& metrics, const ByteBudget& budget,
                             std::vector<MetricsSource> sources)
    : checks_(std::move(checks)), metrics_(metrics), budget_(budget), sources_(std::move(sources)) {}

Task<Done> AdminHandlers::handle(Request& request, Response& response) {
  echo_request_id(request.head, response);
  switch (request.route) {
    case Route::health_ready: return ready(request, response);
    case Route::health_live: answer_json(response, 200, "{\"status\":\"live\"}\n"); break;
    case Route::metrics:
      response.headers.append("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nCache-Control: no-store\r\n");
      response.body = expose(metrics_, budget_, sources_);
      break;
    default: asset(request, response); break;
  }
  return Task<Done>(Done{});
}

Task<Done> AdminHandlers::ready(Request& request, Response& response) {
  // All at once: one that hangs until the deadline must not make the others look bad.
  const Deadline deadline = Deadline::after(MonotonicClock::now(), health_timeout);
  std::vector<CheckResult> results;
  results.reserve(checks_.size());  // the tasks below point into it
  TaskScope scope(co_await this_executor());
  for (const HealthCheck& check : checks_) {
    CheckResult& result = results.emplace_back(CheckResult{check, {}});
    scope.spawn(ask(check, deadline, result.state));
  }
  co_await scope.join();
  const bool stopping = stopping_.load(std::memory_order_relaxed);
  const bool ready = enough(results) && !stopping;
  const bool verbose = request.query == "verbose" || request.query == "verbose=true";
  if (!ready) response.headers.append("Retry-After: 1\r\n");
  answer_json(response, ready ? 200 : 503, ready_body(results, stopping, verbose, started_));
  co_return Done{};
}

void AdminHandlers::asset(const Request& request, Response& response) const {
  const std::string_view path = asset_path(request);
  if (path != request.path) {
    response.status = 308;
    response.add_header("Location", path);
    return;
  }
  const web::Asset* found = web::find_asset(path);
  if (found == nullptr) {
    return render({ProblemType::route_not_found, "there is no such file here"}, request_id_or_new(request.head), response);
  }
  const auto if_none_match = request.head.header(Header::if_none_match);
  // Weak, because the gzip and the plain form share it (RFC 9110, section 8.8.3).
  response.headers.append("ETag: W/").append(found->etag).append("\r\n");
  response.headers.append("Cache-Control: no-cache\r\nVary: Accept-Encoding\r\n");
  if (if_none_match && if_none_match->find(found->etag) != if_none_match->npos) {
    response.status = 304;
    return;
  }
  response.add_header("Content-Type", found->content_type);
  response.headers.append(page_policy);
  if (accepts_gzip(request.head) || found->plain.empty()) {
    if (accepts_gzip(request.head)) {
      response.headers.append("Content-Encoding: gzip\r\n");
      response.static_body = found->gzip;
    } else {
      response.body = gunzip(found->gzip);
    }
  } else {
    response.static_body = found->plain;
  }
}

}  // namespace armazem::http
