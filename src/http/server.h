// The HTTP server: on every loop a listening socket of its own (SO_REUSEPORT), its own connections and metrics.
//
// Ending is designed: `stop` closes the listening sockets, closes idle connections, lets requests in flight end (their
// answers carry 'Connection: close'), and after the grace time cuts what is left.
//
// Thread rule: `start` and `stop` from one thread that is none of the loops.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/result.h"
#include "http/handler.h"
#include "http/server_options.h"
#include "net/loop_group.h"

namespace armazem::http {

class ByteBudget;

// Figures of all loops; outlives server and handler, because both use it.
class ServerMetrics {
 public:
  explicit ServerMetrics(std::size_t loops);
  [[nodiscard]] const std::vector<std::unique_ptr<LoopMetrics>>& loops() const noexcept { return loops_; }
  [[nodiscard]] std::uint64_t connections() const noexcept;

 private:
  std::vector<std::unique_ptr<LoopMetrics>> loops_;
};

class Server {
 public:
  // Listens and serves when it returns. precondition: the address cannot be used; the message says why.
  // `loops`, `handler`, `budget` and `metrics` (made for as many loops) must outlive the server.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, net::LoopGroup& loops, Handler& handler,
                                               ByteBudget& budget, ServerMetrics& metrics);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Stops without grace if that has not been done.
  ~Server();

  [[nodiscard]] std::uint16_t port() const noexcept;
  // From now on each answer closes its connection; everything is still served. Comes before `stop`, where a balancer needs
  // time to look away.
  void drain();
  // Blocks until every connection is closed. Returns how many had to be cut.
  std::size_t stop(std::chrono::milliseconds grace);

 private:
  class Worker;
  explicit Server(ServerOptions options);

  const ServerOptions options_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::uint16_t port_ = 0;
};

}  // namespace armazem::http
