// Who is at the other end of a connection: the address of the client, or of the proxy in between. Forwarding headers are
// not looked at: anybody can write them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace armazem {

// An IPv6 address; an IPv4 address as ::ffff:a.b.c.d. All zero: not known.
using PeerAddress = std::array<std::uint8_t, 16>;

// Of a connected socket.
[[nodiscard]] PeerAddress peer_of(int socket) noexcept;
[[nodiscard]] std::string to_text(const PeerAddress& address);

// What limits are counted by: an IPv4 address, or the /64 network of an IPv6 address, because one subscriber has all of
// that (RFC 6177).
[[nodiscard]] PeerAddress network_of(PeerAddress address) noexcept;

}  // namespace armazem
