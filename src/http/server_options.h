#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace armazem::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;               // 0: any free one
  std::size_t threads = 1;                 // loops; each with its own listening socket (SO_REUSEPORT)
  std::size_t connections_max = 16'384;
  std::size_t inflight_body_bytes_max = std::size_t{64} << 20;
  std::chrono::milliseconds header_timeout{10'000};  // from a request's first byte to the end of its headers
  std::chrono::milliseconds body_timeout{30'000};    // for the whole body
  std::chrono::milliseconds idle_timeout{75'000};    // between requests
  std::chrono::milliseconds write_timeout{30'000};   // for a client that does not read its answer
};

}  // namespace armazem::http
