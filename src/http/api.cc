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
  if (request.route == Route::store_key && reads) return store_.read(request, response);
  if (request.route == Route::store && reads) return lists_.handle(request, response);
  if (request.route == Route::store || request.route == Route::store_key) return store_.write(request, response);
  if (request.route == Route::batch) return batches_.handle(request, response);
  if (request.route == Route::operation) return operations_.handle(request, response);
  return admin_.handle(request, response);
}

void Api::tick(TaskScope& scope, MonotonicTime now) {
  for (const Chore& chore : chores_) chore(scope, now);
}

}  // namespace armazem::http
