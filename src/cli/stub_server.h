// A server for tests of the client side: answers every GET with 200, or does not, and may pause as a whole, once.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/assert.h"
#include "net/listen_socket.h"

namespace armazem::cli {

class StubServer {
 public:
  enum class Behaviour { answers, is_silent, closes, talks_nonsense };

  // With `pause`, it does nothing at all for that long when the request of that number has come.
  explicit StubServer(Behaviour behaviour, std::size_t pause_at = 0, std::chrono::milliseconds pause = {})
      : behaviour_(behaviour),
        pause_at_(pause_at),
        pause_(pause),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port; }
  [[nodiscard]] std::size_t requests() const noexcept { return requests_; }

 private:
  static net::ListenSocket listen() {
    auto listener = net::listen_on("127.0.0.1", 0, true);
    ARMAZEM_ASSERT(listener);
    return std::move(*listener);
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::vector<pollfd> waiting{{listener_.descriptor.get(), POLLIN, 0}};
      for (const auto& [descriptor, connection] : connections_) waiting.push_back({descriptor, POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), 20);
      for (std::size_t i = 1; i < waiting.size(); ++i) {
        if (waiting[i].revents != 0 && !serve(connections_.at(waiting[i].fd))) connections_.erase(waiting[i].fd);
      }
      if (waiting[0].revents == 0) continue;
      net::FileDescriptor accepted(::accept(listener_.descriptor.get(), nullptr, nullptr));
      const int descriptor = accepted.get();
      if (descriptor >= 0) connections_.emplace(descriptor, Connection{std::move(accepted), {}});
    }
  }

  struct Connection {
    net::FileDescriptor socket;
    std::string received;
  };

  // False: the connection is to be closed.
  bool serve(Connection& connection) {
    char bytes[4096];
    const ssize_t count = ::recv(connection.socket.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    connection.received.append(bytes, static_cast<std::size_t>(count));
    for (auto end = connection.received.find("\r\n\r\n"); end != std::string::npos;
         end = connection.received.find("\r\n\r\n")) {
      connection.received.erase(0, end + 4);
      if (++requests_ == pause_at_) std::this_thread::sleep_for(pause_);
      if (behaviour_ == Behaviour::closes) return false;
      if (behaviour_ == Behaviour::is_silent) continue;
      const std::string answer =
          behaviour_ == Behaviour::answers ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" : "SSH-2.0-x\r\n";
      if (::send(connection.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return false;
    }
    return true;
  }

  const Behaviour behaviour_;
  const std::size_t pause_at_;
  const std::chrono::milliseconds pause_;
  const net::ListenSocket listener_ = listen();
  std::map<int, Connection> connections_;  // of the thread
  std::atomic<std::size_t> requests_{0};
  std::jthread thread_;
};

}  // namespace armazem::cli
