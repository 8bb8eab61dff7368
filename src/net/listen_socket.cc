#include "net/listen_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace armazem::net {
namespace {

constexpr int backlog = 4096;

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

std::optional<Address> parse_address(const std::string& text, std::uint16_t port) {
  Address address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (::inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&address.bytes, &four, sizeof four);
    address.size = sizeof four;
  } else if (::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&address.bytes, &six, sizeof six);
    address.size = sizeof six;
  } else {
    return std::nullopt;
  }
  return address;
}

// errno tells what went wrong when the result is closed.
FileDescriptor open_listening(const Address& address, bool share_port) {
  FileDescriptor socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const bool listening =
      socket.is_open() && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      (!share_port || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) == 0 &&
      ::listen(socket.get(), backlog) == 0;
  return listening ? std::move(socket) : FileDescriptor();
}

std::uint16_t port_of(const FileDescriptor& socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  // The port stands at the same place for both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

bool is_ip_address(const std::string& text) noexcept { return parse_address(text, 0).has_value(); }

Result<ListenSocket> listen_on(const std::string& address, std::uint16_t port, bool first) {
  const auto parsed = parse_address(address, port);
  if (!parsed) return fail(ErrorCode::precondition, "'" + address + "' is not an IP address");
  bool usable = true;
  if (first && port != 0) usable = open_listening(*parsed, false).is_open();
  FileDescriptor socket;
  if (usable) socket = open_listening(*parsed, true);
  if (!socket.is_open()) {
    return fail(ErrorCode::precondition, "cannot listen on " + address + " port " + std::to_string(port) + ": " + std::strerror(errno));
  }
  const std::uint16_t bound = port_of(socket);
  return ListenSocket{std::move(socket), bound};
}

}  // namespace armazem::net
