#include "http/admin_api.h"

namespace armazem::http {

std::optional<Problem> AdminApi::admit(Request& request) {
  std::optional<Problem> problem = router_.admit(request);
  switch (request.route) {
    case Route::health_live:
    case Route::health_ready:
    case Route::metrics: break;
    case Route::openapi:
    case Route::swagger_ui:
    case Route::dashboard:
      if (pages_) break;
      [[fallthrough]];
    default:
      return Problem{ProblemType::route_not_found,
                     pages_ ? "here are health, metrics and pages; values are at --listen and --port"
                            : "a worker has /health/live, /health/ready and /metrics"};
  }
  if (!problem && request.head.method == Method::options) {
    problem = Problem{ProblemType::method_not_allowed, "GET and HEAD are answered here"};
    problem->allow = "GET, HEAD";
  }
  return problem;
}

}  // namespace armazem::http
