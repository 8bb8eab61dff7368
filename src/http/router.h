// From a request's headers to a route: everything that can be refused is refused here, before the body is read.
//
// Thread rule: any thread; stateless.
#pragma once

#include <optional>

#include "core/hybrid_clock.h"
#include "http/access.h"
#include "http/message.h"
#include "http/problem.h"

namespace armazem::http {

class Router {
 public:
  // Without `access` everybody may do everything. `consoles_elsewhere`: figures and pages have a listener of their own.
  Router(std::size_t value_bytes_max, HybridClock& clock, Access* access = nullptr, bool consoles_elsewhere = false) noexcept
      : value_bytes_max_(value_bytes_max), clock_(clock), access_(access), consoles_elsewhere_(consoles_elsewhere) {}

  // Fills route, key, path, query, write headers and body limits.
  std::optional<Problem> admit(Request& request) const;

 private:
  [[nodiscard]] std::optional<Problem> find_key(Request& request, std::string_view encoded) const;
  [[nodiscard]] std::optional<Problem> find_operation(Request& request) const;
  [[nodiscard]] std::optional<Problem> find_list(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_query(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_read(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_write(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_batch(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_token(const RequestHead& head, Version& into) const;
  [[nodiscard]] std::optional<Problem> check_condition(Request& request) const;
  [[nodiscard]] std::optional<Problem> check_media_type(const Request& request) const;
  void set_body_limit(Request& request) const noexcept;

  const std::size_t value_bytes_max_;
  HybridClock& clock_;
  Access* const access_;
  const bool consoles_elsewhere_;
};

[[nodiscard]] std::string_view allowed_methods(Route route) noexcept;

}  // namespace armazem::http
