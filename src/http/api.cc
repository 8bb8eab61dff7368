#include "http/api.h"

#include "http/read_answer.h"

namespace armazem::http {

Task<Done> Api::handle(Request& request, Response& response) {
  const Method method = request.head.method;
  if (method == Method::options) {
    response.status = 204;
    response.add_header("Allow", allowed_methods(request.route));
    echo_request_id(request.head, response);
    return Task<Done>(Done{});
  }
  if (request.route == Route::store_key && method != Method::put && method != Method::remove) {
    return store_.read(request, response);
  }
  if (request.route == Route::store || request.route == Route::store_key) return store_.write(request, response);
  return admin_.handle(request, response);
}

void Api::tick(TaskScope& scope, MonotonicTime now) {
  batcher_.expire(now);
  if (purger_.due(now)) scope.spawn(purger_.run());
}

}  // namespace armazem::http
