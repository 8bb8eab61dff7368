#include "http/admin_api.h"

namespace armazem::http {

std::optional<Problem> AdminApi::admit(Request& request) {
  std::optional<Problem> problem = router_.admit(request);
  switch (request.route) {
    case Route::health_live:
    case Route::health_ready:
    case Route::metrics: break;
    default: return Problem{ProblemType::route_not_found, "a worker has /health/live, /health/ready and /metrics"};
  }
  if (!problem && request.head.method == Method::options) {
    problem = Problem{ProblemType::method_not_allowed, "a worker answers GET and HEAD"};
    problem->allow = "GET, HEAD";
  }
  return problem;
}

}  // namespace armazem::http
