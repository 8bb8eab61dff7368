// One kept-alive HTTP/1.1 connection to a server on 127.0.0.1, blocking, with a deadline per request. It never repeats
// a request: what an answer that did not come means is its user's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/file_descriptor.h"

namespace armazem::faults {

struct HttpAnswer {
  int status = 0;  // 0: none came
  bool was_sent = false;  // whether the server can have seen the request
  std::string version;  // Armazem-Version, else the ETag without its quotes
  bool from_cache = false;
  std::string body;
};

class HttpConnection {
 public:
  HttpConnection(std::uint16_t port, std::chrono::milliseconds timeout) : port_(port), timeout_(timeout) {}

  HttpAnswer ask(std::string_view request);
  // Sends it and goes away.
  void ask_and_leave(std::string_view request);

 private:
  bool connect();
  bool send(std::string_view bytes) const;
  bool receive_some(std::string& into) const;
  bool receive(HttpAnswer& answer);

  std::uint16_t port_;
  std::chrono::milliseconds timeout_;
  net::FileDescriptor socket_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace armazem::faults
