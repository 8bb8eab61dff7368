// Everything that is not a value: health, metrics, the OpenAPI document, Swagger UI, the dashboard.
//
// Thread rule: any loop.
#pragma once

#include <atomic>
#include <vector>

#include "http/exposition.h"
#include "http/handler.h"
#include "ports/store.h"

namespace armazem::http {

class ByteBudget;
class ServerMetrics;

class AdminHandlers {
 public:
  // All must outlive the handlers.
  AdminHandlers(Store& store, const ServerMetrics& metrics, const ByteBudget& budget, std::vector<MetricsSource> sources);

  Task<Done> handle(Request& request, Response& response);

  // From now on not ready, so that balancers look elsewhere. Any thread.
  void set_stopping() noexcept { stopping_.store(true, std::memory_order_relaxed); }

 private:
  Task<Done> ready(Request& request, Response& response);
  void asset(const Request& request, Response& response) const;

  Store& store_;
  const ServerMetrics& metrics_;
  const ByteBudget& budget_;
  const std::vector<MetricsSource> sources_;
  const MonotonicTime started_ = MonotonicClock::now();
  std::atomic<bool> stopping_{false};
};

}  // namespace armazem::http
