// One connection to one broker: opening it within bounds, reading frames without waiting, ending it without goodbye.
//
// Thread rule: one thread.
// Errors: `unavailable` from everything that finds the connection dead; it is of no further use then.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <memory>
#include <optional>
#include <string>

#include "adapters/rabbitmq/rabbitmq_queue.h"
#include "adapters/rabbitmq/url.h"
#include "adapters/rabbitmq/wakeup.h"
#include "adapters/rabbitmq/watchdog.h"

namespace armazem::rabbit {

// `goodbye` takes a second at most; a little more, so that the watchdog does not cut it short.
inline constexpr std::chrono::milliseconds farewell_max{1'500};

class Connection {
 public:
  // Connects and logs in. `purpose` shows in the broker's list of connections.
  static Result<std::unique_ptr<Connection>> open(const Url& url, const Host& host, const RabbitmqOptions& options,
                                                  const std::string& purpose, Watchdog& watchdog);
  // Closes the socket, and says nothing: a farewell on a broken connection would block.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // The orderly end of a healthy connection; waits for the answer for a second at most.
  void goodbye();

  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  // For calls that only send.
  [[nodiscard]] amqp_connection_state_t raw() const noexcept { return state_; }

  Result<void> open_channel(amqp_channel_t channel);
  // After a synchronous call of librabbitmq: how it went. Confirms a close of the channel to the broker.
  Result<void> rpc_result(amqp_channel_t channel, const std::string& what);
  // 404, 406 …: why the last rpc_result failed when the broker closed the channel; else 0.
  [[nodiscard]] int close_code() const noexcept { return close_code_; }
  // What a call that only sends returned.
  Result<void> sent(int status, const char* what) const;
  // Answers a channel.close of the broker.
  Result<void> confirm_channel_close(amqp_channel_t channel);

  // The next frame of a channel, or nothing when none has arrived. The frame is valid until the next call. Must be
  // called at least every few seconds: heartbeats are only sent and checked inside.
  Result<std::optional<amqp_frame_t>> next_frame();
  // The broker is short of memory or disk and takes no messages.
  [[nodiscard]] bool blocked() const noexcept { return blocked_; }
  [[nodiscard]] const std::string& blocked_why() const noexcept { return blocked_why_; }

  // A send would not block, at least its first bytes.
  [[nodiscard]] bool writable() const noexcept;
  // Until bytes have come, `wakeup` was signalled, or `span` is over; with `or_writable` also until the socket takes
  // bytes.
  void wait(Wakeup& wakeup, std::chrono::milliseconds span, bool or_writable) const;

  // Guards a call that only sends.
  [[nodiscard]] Watchdog::Guard guard() { return Watchdog::Guard(*watched_, options_.send_timeout); }
  // Guards a call that waits for an answer.
  [[nodiscard]] Watchdog::Guard guard_rpc() { return Watchdog::Guard(*watched_, options_.rpc_timeout * 2); }

 private:
  Connection(const Host& host, const RabbitmqOptions& options);
  Result<void> connect(const Url& url, const Host& host);
  Result<void> login(const Url& url, const std::string& purpose);
  // Frames of channel 0.
  Result<void> handle_own(const amqp_frame_t& frame);
  [[nodiscard]] tl::unexpected<Error> lost(const std::string& why) const;

  const std::string host_;
  const RabbitmqOptions options_;
  amqp_connection_state_t state_;
  std::optional<Watchdog::Watched> watched_;
  bool blocked_ = false;
  std::string blocked_why_;
  int close_code_ = 0;
};

}  // namespace armazem::rabbit
