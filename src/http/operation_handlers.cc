#include "http/operation_handlers.h"

#include "http/json_text.h"
#include "http/read_answer.h"

namespace armazem::http {
namespace {

std::string_view word(Effect effect) noexcept {
  switch (effect) {
    case Effect::created: return "created";
    case Effect::replaced: return "replaced";
    case Effect::deleted: return "deleted";
    case Effect::nothing_to_delete: return "nothing-to-delete";
  }
  return "unknown";
}

void answer_state(const Request& request, const OperationState& state, Response& response) {
  response.headers.append("Content-Type: application/json\r\nCache-Control: no-store\r\n");
  if (state.status == OperationState::Status::pending) response.headers.append("Retry-After: 1\r\n");
  std::string& body = response.body;
  body.append("{\"operation\":\"").append(request.operation.text()).append("\",\"key\":");
  append_json_string(body, request.key->text());
  body.append(",\"status\":\"").append(to_string(state.status)).append("\"");
  if (state.status == OperationState::Status::applied) {
    body.append(",\"version\":\"").append(state.version.text()).append("\",\"effect\":\"");
    body.append(word(state.effect)).append("\"");
  }
  body.append("}\n");
  echo_request_id(request.head, response);
}

}  // namespace

Task<Done> OperationHandlers::handle(Request& request, Response& response) {
  const Deadline deadline = Deadline::after(request.begun, timeout_);
  const Result<OperationState> state = co_await operations_.look_up(*request.key, request.operation, deadline);
  if (state) {
    answer_state(request, *state, response);
  } else {
    render(problem_of(state.error()), request_id_or_new(request.head), response);
  }
  co_return Done{};
}

}  // namespace armazem::http
