// The application behind the server: router and handlers put together.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "http/admin_handlers.h"
#include "http/batch_handlers.h"
#include "http/handler.h"
#include "http/list_handlers.h"
#include "http/operation_handlers.h"
#include "http/router.h"
#include "http/store_handlers.h"
#include "http/watch_handlers.h"

namespace armazem::http {

// What is done a few times per second on the first loop: deadlines of waiting writes, purge. Longer work goes into the
// scope.
using Chore = std::function<void(TaskScope& scope, MonotonicTime now)>;

// Who answers which routes. All must outlive the api.
struct Handlers {
  StoreHandlers& store;
  ListHandlers& lists;
  BatchHandlers& batches;
  WatchHandlers& watches;
  OperationHandlers& operations;
  AdminHandlers& admin;
};

class Api final : public Handler {
 public:
  Api(Router router, Handlers handlers, std::vector<Chore> chores)
      : router_(router), handlers_(handlers), chores_(std::move(chores)) {}

  std::optional<Problem> admit(Request& request) override { return router_.admit(request); }
  Task<Done> handle(Request& request, Response& response) override;
  void tick(TaskScope& scope, MonotonicTime now) override;

 private:
  const Router router_;
  const Handlers handlers_;
  const std::vector<Chore> chores_;
};

}  // namespace armazem::http
