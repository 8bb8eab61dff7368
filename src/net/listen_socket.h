#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "net/file_descriptor.h"

namespace armazem::net {

struct ListenSocket {
  FileDescriptor descriptor;
  std::uint16_t port = 0;
};

[[nodiscard]] bool is_ip_address(const std::string& text) noexcept;

// A listening TCP socket that shares its port with others of this process (SO_REUSEPORT). `first`: also make sure that no
// other process has the port, which SO_REUSEPORT would let pass without a word. precondition: says why it cannot be.
[[nodiscard]] Result<ListenSocket> listen_on(const std::string& address, std::uint16_t port, bool first);

}  // namespace armazem::net
