// The application behind a worker's port, and behind --admin-listen: health, metrics and, of a server, its pages. It asks
// for no key: who reaches the port may read it.
#pragma once

#include "http/admin_handlers.h"
#include "http/handler.h"
#include "http/router.h"

namespace armazem::http {

class AdminApi final : public Handler {
 public:
  // Both must outlive the api.
  AdminApi(Router router, AdminHandlers& admin, bool pages = false) noexcept
      : router_(router), admin_(admin), pages_(pages) {}

  std::optional<Problem> admit(Request& request) override;
  Task<Done> handle(Request& request, Response& response) override { return admin_.handle(request, response); }
  void tick(TaskScope&, MonotonicTime) override {}

 private:
  const Router router_;
  AdminHandlers& admin_;
  const bool pages_;
};

}  // namespace armazem::http
