// Stands between a client and a PostgreSQL server and does what networks and servers do on bad days: cuts a connection
// after a number of bytes, holds everything back, or answers with an error in place of a reply.
//
// It reads the messages of the server (PostgreSQL's manual, "Message Formats": a type, a length, the rest), so connect
// through it with sslmode=disable. A fault is used up by the first connection that meets it.
//
// Thread rule: methods from any thread; it has threads of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "net/file_descriptor.h"

namespace armazem::test {

class WireProxy {
 public:
  // `server` is "host:port", the host numeric. Listens on a free port of 127.0.0.1.
  explicit WireProxy(const std::string& server);
  ~WireProxy();
  WireProxy(const WireProxy&) = delete;
  WireProxy& operator=(const WireProxy&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // The connection over which that many more bytes have come from the server, or gone to it, is cut behind them.
  void cut_replies_after(std::size_t bytes) { cut_replies_ = static_cast<std::int64_t>(bytes); }
  void cut_requests_after(std::size_t bytes) { cut_requests_ = static_cast<std::int64_t>(bytes); }
  // The next statement that the server ends with a command tag that begins so ("COMMIT", "INSERT" …) is answered with
  // this error instead; the server has executed it all the same. With `fatal` the connection ends with it.
  void answer_instead(std::string command, std::string sqlstate, bool fatal = false);
  // The message of the server that comes after that many others arrives with a type that does not exist: the client
  // cannot follow any more.
  void garble_after(int messages) { garble_in_ = messages; }
  // Forward nothing, in neither direction, and accept no connection, until `resume`.
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  // No fault is armed any more.
  void calm();

  // Cuts made and errors injected.
  [[nodiscard]] std::size_t faults() const { return faults_; }
  [[nodiscard]] std::size_t reply_bytes() const { return reply_bytes_; }
  [[nodiscard]] std::size_t request_bytes() const { return request_bytes_; }

 private:
  struct Injection {
    std::string command;
    std::string sqlstate;
    bool fatal;
  };
  struct Link;

  void accept_all();
  void join_ended();
  void run(Link& link);
  bool forward_request(Link& link);
  bool forward_reply(Link& link);
  bool forward_message(Link& link, const std::string& message);
  bool send_counted(int to, const std::string& bytes, std::atomic<std::int64_t>& left, std::atomic<std::size_t>& total);
  std::optional<Injection> injection_for(const std::string& message);

  std::string server_;
  net::FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> paused_{false};
  std::atomic<int> garble_in_{-1};  // messages before it; negative: not armed
  std::atomic<std::int64_t> cut_replies_{-1};  // bytes left; -1: not armed
  std::atomic<std::int64_t> cut_requests_{-1};
  std::atomic<std::size_t> faults_{0};
  std::atomic<std::size_t> reply_bytes_{0};
  std::atomic<std::size_t> request_bytes_{0};
  std::mutex mutex_;
  std::optional<Injection> injection_;  // guarded by mutex_
  std::list<std::pair<std::unique_ptr<Link>, std::thread>> links_;  // the acceptor's thread only
  std::thread acceptor_;
};

}  // namespace armazem::test
