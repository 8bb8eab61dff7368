// GET /operations/{version}?key=: what became of a write.
//
// Thread rule: any loop.
#pragma once

#include <chrono>

#include "http/handler.h"
#include "service/operations.h"

namespace armazem::http {

class OperationHandlers {
 public:
  // `operations` must outlive the handlers.
  OperationHandlers(Operations& operations, std::chrono::milliseconds timeout) noexcept
      : operations_(operations), timeout_(timeout) {}

  Task<Done> handle(Request& request, Response& response);

 private:
  Operations& operations_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace armazem::http
