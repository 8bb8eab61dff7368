// amqp://user:password@host1:port1,host2:port2/vhost?cacert=file
//
// After the RabbitMQ URI specification, with several hosts. User, password and vhost are percent-decoded. Ports: 5672,
// with amqps 5671. No vhost, or an empty one, is "/". `cacert` (only with amqps) names the file of trusted
// certificates, else the system's is taken. IPv6 addresses stand in brackets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace armazem::rabbit {

struct Host {
  std::string name;
  std::uint16_t port = 0;

  [[nodiscard]] std::string text() const { return name + ":" + std::to_string(port); }
  friend bool operator==(const Host&, const Host&) = default;
};

struct Url {
  std::string user = "guest";
  std::string password = "guest";
  std::vector<Host> hosts;  // at least one
  std::string vhost = "/";
  bool tls = false;
  std::string cacert = "/etc/ssl/certs/ca-certificates.crt";
};

// invalid_argument, with a message that never shows the password.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace armazem::rabbit
