// GET and HEAD of /store: a page of keys, or all of them as lines of JSON.
//
// Thread rule: any loop; a call stays on the loop it came from.
#pragma once

#include <chrono>

#include "http/handler.h"
#include "service/lister.h"

namespace armazem::http {

class ListHandlers {
 public:
  // `lister` must outlive the handlers.
  ListHandlers(Lister& lister, std::chrono::milliseconds timeout) noexcept : lister_(lister), timeout_(timeout) {}

  Task<Done> handle(Request& request, Response& response);

 private:
  Task<Done> page(Request& request, Response& response);
  Task<Done> stream(Request& request, Response& response);

  Lister& lister_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace armazem::http
