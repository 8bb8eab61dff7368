#include "net/connect.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace armazem::net {
namespace {

Result<std::vector<SocketAddress>> look_up(const HostPort& target, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  if (error != 0) {
    const char* const why = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    return fail(ErrorCode::unavailable, "cannot resolve " + target.host + ": " + why);
  }
  std::vector<SocketAddress> all;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& address = all.emplace_back();
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  return all;
}

}  // namespace

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port) {
  const auto malformed = [text] {
    return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not host, host:port or [IPv6]:port");
  };
  HostPort parsed{std::string(text), default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return malformed();
    parsed.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon != text.npos) {
    parsed.host = text.substr(0, colon);
    port = text.substr(colon);
  }
  if (parsed.host.empty()) return malformed();
  if (port.empty()) return parsed;
  const auto [end, error] = std::from_chars(port.data() + 1, port.data() + port.size(), parsed.port);
  if (port.front() != ':' || error != std::errc() || end != port.data() + port.size() || parsed.port == 0) return malformed();
  return parsed;
}

std::string SocketAddress::host_text() const {
  char host[NI_MAXHOST] = "?";
  ::getnameinfo(reinterpret_cast<const sockaddr*>(&bytes), size, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

Task<Result<std::vector<SocketAddress>>> Resolver::resolve(HostPort target) {
  if (auto numeric = look_up(target, AI_NUMERICHOST)) co_return numeric;
  Executor& home = co_await this_executor();
  co_await resume_on(thread_);
  Result<std::vector<SocketAddress>> found = look_up(target, 0);
  co_await resume_on(home);
  co_return found;
}

Result<FileDescriptor> begin_connect(const SocketAddress& address) {
  FileDescriptor socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return fail(ErrorCode::unavailable, std::string("no socket: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const int done = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size);
  if (done != 0 && errno != EINPROGRESS) {
    return fail(ErrorCode::unavailable, "cannot connect to " + address.host_text() + ": " + std::strerror(errno));
  }
  return socket;
}

}  // namespace armazem::net
