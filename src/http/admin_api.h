// The application behind a worker's port: health and metrics, nothing else.
#pragma once

#include "http/admin_handlers.h"
#include "http/handler.h"
#include "http/router.h"

namespace armazem::http {

class AdminApi final : public Handler {
 public:
  // Both must outlive the api.
  AdminApi(Router router, AdminHandlers& admin) noexcept : router_(router), admin_(admin) {}

  std::optional<Problem> admit(Request& request) override;
  Task<Done> handle(Request& request, Response& response) override { return admin_.handle(request, response); }
  void tick(TaskScope&, MonotonicTime) override {}

 private:
  const Router router_;
  AdminHandlers& admin_;
};

}  // namespace armazem::http
