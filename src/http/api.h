// The application behind the server: router and handlers put together.
#pragma once

#include "http/admin_handlers.h"
#include "http/handler.h"
#include "http/router.h"
#include "http/store_handlers.h"
#include "service/batcher.h"
#include "service/purger.h"

namespace armazem::http {

class Api final : public Handler {
 public:
  // All must outlive the api.
  Api(Router router, StoreHandlers& store, AdminHandlers& admin, Batcher& batcher, Purger& purger) noexcept
      : router_(router), store_(store), admin_(admin), batcher_(batcher), purger_(purger) {}

  std::optional<Problem> admit(Request& request) override { return router_.admit(request); }
  Task<Done> handle(Request& request, Response& response) override;
  void tick(TaskScope& scope, MonotonicTime now) override;

 private:
  const Router router_;
  StoreHandlers& store_;
  AdminHandlers& admin_;
  Batcher& batcher_;
  Purger& purger_;
};

}  // namespace armazem::http
