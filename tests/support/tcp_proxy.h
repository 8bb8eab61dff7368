// A small TCP proxy between a client under test and real servers, that misbehaves on command.
//
// Thread rule: commands from any thread; it works on a thread of its own and listens on a free port of 127.0.0.1.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace armazem::test {

class TcpProxy {
 public:
  using Address = std::pair<std::string, std::uint16_t>;  // IPv4 in numbers, or localhost
  // New connections go to the upstreams in turn.
  explicit TcpProxy(std::vector<Address> upstreams);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  // Cuts all connections; new ones are welcome.
  void cut();
  // Cuts all when that many more bytes have come from clients.
  void cut_after(std::uint64_t bytes_from_clients);
  // Cuts all behind that many more bytes from servers: an answer, or a part of it, was sent and never arrived.
  void cut_replies_after(std::uint64_t bytes_from_servers);
  // The connections of this moment go nowhere any more, and nobody is told; new ones work. So a network forgets them.
  // After a minute they are closed, as TCP's keepalive would find out.
  void strand();
  // From now on bytes arrive that much later, in both directions.
  void delay(std::chrono::milliseconds by);
  // While on: new connections are closed at once, the old ones are cut.
  void refuse(bool on);
  // While on: nothing goes through in either direction, connections stay; clients can fill the buffers only.
  void blackhole(bool on);
  // While on: what servers say waits here.
  void hold_answers(bool on);

  // Connections accepted so far and passed on.
  [[nodiscard]] int accepted() const noexcept { return accepted_.load(); }
  // Connections that were cut, refused or stranded so far.
  [[nodiscard]] std::size_t broken() const noexcept { return broken_.load(); }

 private:
  struct Pair;
  void run();
  void accept_one();
  bool step(Pair& pair, short client_events, short server_events);
  bool forward(Pair& pair);
  void spend(std::atomic<std::int64_t>& left, std::size_t bytes);
  int release_late();
  void wake();

  const std::vector<Address> upstreams_;
  int listener_ = -1;
  int wakeup_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> cut_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> blackhole_{false};
  std::atomic<bool> answers_held_{false};
  std::atomic<bool> strand_{false};
  std::atomic<std::int64_t> delay_ms_{0};
  std::atomic<std::int64_t> bytes_left_{-1};  // until the next cut; -1: none is asked for
  std::atomic<std::int64_t> reply_bytes_left_{-1};
  std::atomic<int> accepted_{0};
  std::atomic<std::size_t> broken_{0};
  std::size_t turn_ = 0;
  std::list<std::unique_ptr<Pair>> pairs_;  // its own thread only
  std::thread thread_;
};

}  // namespace armazem::test
