// Everything that is not a value: health, metrics, the OpenAPI document, Swagger UI, the dashboard.
//
// Thread rule: any loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "http/exposition.h"
#include "http/handler.h"
#include "core/result.h"

namespace armazem::http {

class ByteBudget;
class ServerMetrics;

// A part that the server depends on, for /health/ready.
struct HealthCheck {
  struct State {
    bool ok = false;
    std::string detail;
  };
  enum class Need : std::uint8_t {
    required,     // without it the server is not ready
    alternative,  // at least one of these must be well
    wanted,       // shown, but the server does its work without it
  };
  std::string name;
  Need need = Need::required;
  std::function<Task<State>(Deadline)> ask;
};

class AdminHandlers {
 public:
  // All must outlive the handlers.
  AdminHandlers(std::vector<HealthCheck> checks, const ServerMetrics& metrics, const ByteBudget& budget, std::vector<MetricsSource> sources);

  Task<Done> handle(Request& request, Response& response);

  // From now on not ready, so that balancers look elsewhere. Any thread.
  void set_stopping() noexcept { stopping_.store(true, std::memory_order_relaxed); }

 private:
  Task<Done> ready(Request& request, Response& response);
  void asset(const Request& request, Response& response) const;

  const std::vector<HealthCheck> checks_;
  const ServerMetrics& metrics_;
  const ByteBudget& budget_;
  const std::vector<MetricsSource> sources_;
  const MonotonicTime started_ = MonotonicClock::now();
  std::atomic<bool> stopping_{false};
};

}  // namespace armazem::http
