// Where to connect and as whom, read from a URL.
//
// postgres://, postgresql:// and cockroachdb:// (cockroach://) are the same. Several hosts stand side by side
// ("h1:26257,h2,h3"); everything behind '?' goes to libpq as it is (PostgreSQL's manual, "Connection URIs").
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "net/connect.h"

namespace armazem::pg {

struct Target {
  std::vector<net::HostPort> hosts;  // a host that begins with '/' is the directory of a Unix socket
  std::vector<std::pair<std::string, std::string>> parameters;  // for libpq, without host and port
  std::vector<std::string> secrets;  // what must never be shown

  [[nodiscard]] std::string host_names() const;  // "h1:5432, h2:5432"
  // Replaces every secret in a text of the driver's.
  [[nodiscard]] std::string without_secrets(std::string text) const;
};

// invalid_argument says what is wrong, and never repeats the URL, which holds a password.
[[nodiscard]] Result<Target> parse_target(std::string_view url);

}  // namespace armazem::pg
