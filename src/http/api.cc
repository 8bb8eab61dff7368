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
  const bool reads = method == Method::get || method == Method::head;
  if (request.route == Route::store_key && reads) return handlers_.store.read(request, response);
  if (request.route == Route::store && reads) return handlers_.lists.handle(request, response);
  if (request.route == Route::store || request.route == Route::store_key) return handlers_.store.write(request, response);
  if (request.route == Route::batch) return handlers_.batches.handle(request, response);
  if (request.route == Route::watch) return handlers_.watches.handle(request, response);
  if (request.route == Route::operation) return handlers_.operations.handle(request, response);
  return handlers_.admin.handle(request, response);
}

void Api::tick(TaskScope& scope, MonotonicTime now) {
  for (const Chore& chore : chores_) chore(scope, now);
}

}  // namespace armazem::http
