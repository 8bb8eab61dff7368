// The connection of one loop to one node: connects, logs in, reconnects with a growing pause, until it is retired.
//
// Requests of many callers are pipelined: what is asked for in one turn of the loop goes out in one send, and the replies
// come back in that order. A reply that is late or malformed makes the order doubtful, so then the connection is given up
// and all that wait are told.
//
// Thread rule: the loop's own thread.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "adapters/redis/breaker.h"
#include "adapters/redis/byte_stream.h"
#include "adapters/redis/figures.h"
#include "adapters/redis/redis_options.h"
#include "adapters/redis/reply.h"
#include "core/deadline.h"
#include "core/result.h"
#include "core/task_scope.h"
#include "net/connect.h"
#include "net/io_handle.h"
#include "net/io_loop.h"

namespace armazem::redis {

class TlsContext;

// What the links of one loop share. All of it outlives them.
struct LinkEnvironment {
  net::IoLoop& loop;
  const RedisOptions& options;
  net::Resolver& resolver;
  const TlsContext* tls;  // nullptr without TLS
  Counters& counters;
  std::mt19937_64& random;
  TaskScope& scope;
};

class Exchange;

class Link {
 public:
  Link(LinkEnvironment environment, net::HostPort node);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] const net::HostPort& node() const noexcept { return node_; }
  [[nodiscard]] Breaker& breaker() noexcept { return breaker_; }
  [[nodiscard]] bool up() const noexcept { return state_ == State::up; }
  [[nodiscard]] bool works() const noexcept { return up() && !broken_ && breaker_.allows(); }
  // Why it does not, for people.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  [[nodiscard]] MonotonicTime last_used() const noexcept { return last_used_; }

  // Called a few dozen times per second: time-outs, the end of a pause, the breaker's probe, a ping when nobody asked.
  void tick(MonotonicTime now);
  // A node that answers with a refusal (LOADING and the like) is as good as none.
  void refused(const std::string& why);

  // Takes no more requests, fails those that wait; `ended` becomes true soon after.
  void retire();
  [[nodiscard]] bool ended() const noexcept { return state_ == State::ended; }

 private:
  friend class Exchange;
  enum class State : std::uint8_t { connecting, up, pausing, ended };
  struct Waiting {
    Exchange* exchange;  // nullptr: its caller has given up, the reply is dropped
    MonotonicTime give_up;
    std::uint8_t to_skip;  // replies before its own
  };

  void enqueue(Exchange& exchange, std::span<const std::string_view> arguments, bool asking);
  [[nodiscard]] std::optional<Error> refusal(const Exchange& exchange);

  Task<void> run();
  Task<Result<void>> connect();
  Task<Result<void>> open_socket();
  Task<Result<void>> log_in();
  Task<Result<Reply>> ask_directly(std::span<const std::string_view> arguments);
  Task<void> serve();
  Task<void> send();
  Task<void> receive();
  Task<void> ping();

  bool deliver_replies();
  void deliver(Reply reply);
  void sweep(MonotonicTime now);
  void break_off(std::string why);
  void fail_waiting(const std::string& why);
  void note_failure(MonotonicTime now);
  void finish(Exchange& exchange, Result<Reply> result);
  void resume_finished();

  LinkEnvironment env_;
  const net::HostPort node_;
  Breaker breaker_;
  State state_ = State::connecting;
  bool retired_ = false;
  bool first_attempt_ = true;
  bool broken_ = false;  // this connection; the next one begins anew
  std::string problem_ = "not yet connected";
  int attempts_ = 0;  // to connect, since a connection last stood

  std::unique_ptr<net::IoHandle> handle_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<ReplyParser> parser_;
  std::vector<char> buffer_;
  MonotonicTime connect_by_{};
  MonotonicTime pause_until_{};
  std::coroutine_handle<> pausing_;
  std::coroutine_handle<> sender_;  // while it waits for work

  std::string out_;      // not yet given to the sender
  std::string sending_;  // the sender's
  std::deque<Waiting> waiting_;
  std::vector<std::coroutine_handle<>> finished_;  // to be resumed together
  MonotonicTime last_used_{};
  MonotonicTime last_reply_{};
  bool pinging_ = false;
};

// One command and its reply: Exchange exchange(…); auto reply = co_await exchange; An error reply is a reply. Errors:
// unavailable (not connected, breaker open, connection lost or silent), overloaded, deadline_exceeded.
class Exchange {
 public:
  struct How {
    bool asking = false;   // ASKING in front of it
    bool probing = false;  // go out although the breaker is open
  };
  // The arguments are copied out at once.
  Exchange(Link& link, std::span<const std::string_view> arguments, Deadline deadline, How how);
  Exchange(Link& link, std::span<const std::string_view> arguments, Deadline deadline)
      : Exchange(link, arguments, deadline, How()) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return result_.has_value(); }
  void await_suspend(std::coroutine_handle<> self) noexcept { self_ = self; }
  Result<Reply> await_resume() { return std::move(*result_); }

 private:
  friend class Link;
  const Deadline deadline_;
  const How how_;
  std::coroutine_handle<> self_;
  std::optional<Result<Reply>> result_;
};

}  // namespace armazem::redis
