#include "http/server.h"

#include <boost/intrusive/list.hpp>

#include <cstring>
#include <latch>
#include <string>

#include "core/assert.h"
#include "http/connection.h"
#include "http/http_date.h"
#include "net/listen_socket.h"
#include "runtime/log.h"

namespace armazem::http {
namespace {

constexpr std::chrono::milliseconds sweep_interval{200};
constexpr std::chrono::milliseconds accept_pause{100};  // when the process is out of descriptors
// Connections beyond the bound that may wait for their refusal; more are closed without a word.
constexpr std::size_t turned_away_max = 64;

std::string current_date_line() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::string line = "Date: ";
  append_http_date(line, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()));
  return line + "\r\n";
}

}  // namespace

ServerMetrics::ServerMetrics(std::size_t loops) {
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<LoopMetrics>());
}

std::uint64_t ServerMetrics::connections() const noexcept {
  std::uint64_t open = 0;
  for (const auto& loop : loops_) open += loop->connections.read();
  return open;
}

// What the server has on one loop: a listening socket and its connections.
class Server::Worker {
 public:
  Worker(net::IoLoop& loop, const ServerOptions& options, Handler& handler, ByteBudget& budget, ServerMetrics& all,
         std::size_t index)
      : all_metrics_(all),
        loop_(loop),
        context_{loop_, handler, budget, *all.loops()[index], options, current_date_line()},
        scope_(loop_),
        keeps_house_(index == 0) {}

  // The port that is listened on: the given one, or the one that was free when 0 was given.
  Result<std::uint16_t> listen(std::uint16_t port, bool first) {
    Result<net::ListenSocket> socket = net::listen_on(context_.options.address, port, first);
    if (!socket) return fail(std::move(socket.error()));
    listener_ = std::make_unique<net::IoHandle>(std::move(socket->descriptor), loop_);
    return socket->port;
  }

  void start() { start_root(loop_, live(ended_)); }

  // Both from outside the loop.
  void begin_drain() { start_root(loop_, close_after_answers()); }
  void begin_stop(MonotonicTime grace_end) { start_root(loop_, stop_within(grace_end)); }

  std::size_t join() {
    ended_->wait();
    return cut_;
  }

 private:
  // The root: everything of this loop runs within it.
  Task<void> live(std::shared_ptr<std::latch> ended) {
    co_await resume_on(loop_);
    scope_.spawn(accept_all());
    scope_.spawn(sweep_all());
    co_await scope_.join();
    ended->count_down();
  }

  Task<void> close_after_answers() {
    co_await resume_on(loop_);
    context_.closing = true;
  }

  Task<void> stop_within(MonotonicTime grace_end) {
    co_await resume_on(loop_);
    context_.closing = true;
    context_.stopping = true;
    grace_end_ = grace_end;
    listener_->cancel();
    for (auto next = connections_.begin(); next != connections_.end();) (next++)->begin_stop();
  }

  Task<void> accept_all() {
    while (!context_.stopping) {
      net::AcceptNext accept(*listener_);
      net::AcceptNext::Accepted next = co_await accept;
      if (context_.stopping) break;
      if (next.error != 0) {
        log::warn("accept failed", {{"error", std::strerror(next.error)}});
        co_await sleep_until(MonotonicClock::now() + accept_pause);
        continue;
      }
      take(std::move(next.socket));
    }
    listener_->close();
  }

  void take(net::FileDescriptor socket) {
    const std::uint64_t open = all_metrics_.connections();
    const std::size_t bound = context_.options.connections_max;
    if (open >= bound) context_.metrics.reject(Rejection::connections);
    if (open >= bound + turned_away_max) return;  // the socket closes here
    scope_.spawn(serve(std::move(socket), open >= bound));
  }

  Task<void> serve(net::FileDescriptor socket, bool turn_away) {
    Connection connection(std::move(socket), context_);
    connections_.push_back(connection);
    context_.metrics.connections.add();
    context_.metrics.accepted.add();
    if (turn_away) {
      co_await connection.turn_away();
    } else {
      co_await connection.run();
    }
    context_.metrics.connections.subtract();
  }

  Task<void> sweep_all() {
    while (!context_.stopping || !connections_.empty()) {
      const MonotonicTime now = MonotonicClock::now();
      context_.date_line = current_date_line();
      context_.coarse_now = now;
      context_.failure_logged = false;
      const bool over = now >= grace_end_;
      for (auto next = connections_.begin(); next != connections_.end();) {
        Connection& connection = *next++;
        if (over) {
          ++cut_;
          connection.abort();
        } else {
          connection.sweep(now);
        }
      }
      if (over) grace_end_ = MonotonicTime::max();
      if (keeps_house_) context_.handler.tick(scope_, now);
      co_await sleep_until(now + (context_.stopping ? sweep_interval / 10 : sweep_interval));
    }
  }

  ServerMetrics& all_metrics_;
  net::IoLoop& loop_;
  LoopContext context_;
  std::unique_ptr<net::IoHandle> listener_;
  TaskScope scope_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  MonotonicTime grace_end_ = MonotonicTime::max();
  std::size_t cut_ = 0;
  const bool keeps_house_;
  // Shared, because the loop may look at it a moment longer than whoever waits for it.
  const std::shared_ptr<std::latch> ended_ = std::make_shared<std::latch>(1);
};

Server::Server(ServerOptions options) : options_(std::move(options)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, net::LoopGroup& loops, Handler& handler,
                                              ByteBudget& budget, ServerMetrics& metrics) {
  ARMAZEM_ASSERT(metrics.loops().size() == loops.size());
  std::unique_ptr<Server> server(new Server(std::move(options)));
  std::uint16_t port = server->options_.port;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    auto worker = std::make_unique<Worker>(loops[i], server->options_, handler, budget, metrics, i);
    // The first decides the port when any will do.
    const Result<std::uint16_t> listening = worker->listen(port, i == 0);
    if (!listening) return fail(listening.error());
    port = *listening;
    server->workers_.push_back(std::move(worker));
  }
  server->port_ = port;
  for (const auto& worker : server->workers_) worker->start();
  return server;
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Server::port() const noexcept { return port_; }

void Server::drain() {
  for (auto& worker : workers_) worker->begin_drain();
}

std::size_t Server::stop(std::chrono::milliseconds grace) {
  std::size_t cut = 0;
  for (auto& worker : workers_) worker->begin_stop(MonotonicClock::now() + grace);
  for (auto& worker : workers_) cut += worker->join();
  workers_.clear();
  return cut;
}

}  // namespace armazem::http
