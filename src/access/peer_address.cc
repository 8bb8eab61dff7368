#include "access/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace armazem {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_four(const PeerAddress& address) noexcept {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), address.begin());
}

}  // namespace

PeerAddress peer_of(int socket) noexcept {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  PeerAddress address{};
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) return address;
  if (from.ss_family == AF_INET6) {
    std::memcpy(address.data(), &reinterpret_cast<const sockaddr_in6*>(&from)->sin6_addr, address.size());
  } else if (from.ss_family == AF_INET) {
    std::ranges::copy(mapped_prefix, address.begin());
    std::memcpy(address.data() + mapped_prefix.size(), &reinterpret_cast<const sockaddr_in*>(&from)->sin_addr, 4);
  }
  return address;
}

std::string to_text(const PeerAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_four(address)) {
    ::inet_ntop(AF_INET, address.data() + mapped_prefix.size(), text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

PeerAddress network_of(PeerAddress address) noexcept {
  if (!is_four(address)) std::fill(address.begin() + 8, address.end(), std::uint8_t{0});
  return address;
}

}  // namespace armazem
