// Addresses and outgoing connections.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/file_descriptor.h"
#include "runtime/thread_pool.h"

namespace armazem::net {

struct HostPort {
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;
  [[nodiscard]] std::string text() const;  // "host:port", "[::1]:port"
  friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

// "host", "host:port", "[v6]:port". invalid_argument says what is wrong.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  [[nodiscard]] std::string host_text() const;  // numeric
};

// Names to addresses. The system's resolver blocks, so it has a thread of its own.
//
// Thread rule: any executor; resumes its awaiter on the awaiter's own.
class Resolver {
 public:
  Resolver() : thread_("resolve", 1) {}
  // At least one address, in the system's order. unavailable: the message says why. Numeric hosts are answered at once.
  Task<Result<std::vector<SocketAddress>>> resolve(HostPort target);

 private:
  ThreadPool thread_;
};

// A TCP socket (TCP_NODELAY, keep-alive) that has begun to connect; wait with `Connected` (net/io_handle.h).
[[nodiscard]] Result<FileDescriptor> begin_connect(const SocketAddress& address);

}  // namespace armazem::net
