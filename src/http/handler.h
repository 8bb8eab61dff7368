// What the server asks of the application.
//
// Thread rule: called by every loop at the same time; a request is handled on the loop that owns its connection.
#pragma once

#include <optional>

#include "core/task.h"
#include "core/task_scope.h"
#include "http/message.h"
#include "http/metrics.h"
#include "http/problem.h"

namespace armazem::http {

struct Done {};

class Handler {
 public:
  virtual ~Handler() = default;

  // Decides by the headers alone, before a body is read: finds the route, sets its body limits, or refuses.
  virtual std::optional<Problem> admit(Request& request) = 0;

  // Fills `response`. Ready when nothing had to be waited for. Both stay alive until the task has ended.
  virtual Task<Done> handle(Request& request, Response& response) = 0;

  // A few times per second on the first loop: house-keeping. Longer work goes into `scope`.
  virtual void tick(TaskScope& scope, MonotonicTime now) = 0;
};

}  // namespace armazem::http
