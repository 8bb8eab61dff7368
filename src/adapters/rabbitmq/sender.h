// Publishes on a connection of its own, many messages under way at once: with confirm on channel 1, without on channel
// 2.
//
// Order of effects: a waiter is told 'confirmed' only by the broker's basic.ack for its delivery tag, and a message
// that was routed nowhere is told before that by basic.return (`mandatory`), because the broker confirms such a message
// too.
//
// Thread rule: any thread.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "adapters/rabbitmq/incoming.h"
#include "adapters/rabbitmq/ledger.h"
#include "adapters/rabbitmq/link_thread.h"
#include "adapters/rabbitmq/reply_address.h"
#include "core/task.h"

namespace armazem::rabbit {

class Sender final : public LinkOwner {
 public:
  // `replies` (null: none are wanted), `watchdog` and `counters` must outlive it.
  Sender(const Url& url, const RabbitmqOptions& options, std::string purpose, ReplyAddress* replies, Watchdog& watchdog,
         Counters& counters);
  // Waits for confirms still expected, for close_timeout at most; then every waiter has been told.
  ~Sender() override;
  void start() { link_.start(); }
  // Begins to end: takes nothing any more.
  void request_stop();
  // What the destructor does.
  void stop();

  // Ends when the message is confirmed, with the errors of QueuePublisher::publish.
  Task<Result<void>> send(Outgoing message, Deadline deadline);
  // The same with a callback.
  Result<void> submit(Outgoing message, PublishWaiter& waiter, Deadline deadline) {
    return ledger_.submit(std::move(message), waiter, deadline);
  }
  // Transient and without confirm. False: dropped.
  bool send_unconfirmed(Outgoing message) { return ledger_.submit_unconfirmed(std::move(message)); }

  void expire(MonotonicTime now) { ledger_.expire(now); }
  [[nodiscard]] QueueHealth health() const { return link_.health(); }

 private:
  struct Wait;

  Result<void> serve(Connection& connection) override;
  void on_down(const Error& why) override;
  Result<void> read_frames(Connection& connection);
  Result<void> handle_method(Connection& connection, const amqp_frame_t& frame);
  Result<void> settle(std::uint64_t tag, bool multiple, bool confirmed);
  Result<void> send_waiting(Connection& connection);
  Result<void> publish(Connection& connection, const Outgoing& message, std::uint64_t tag);
  Result<void> check_confirms(const Connection& connection) const;
  [[nodiscard]] bool finished() const;

  const RabbitmqOptions options_;
  ReplyAddress* const replies_;
  Counters& counters_;
  LinkThread link_;
  Ledger ledger_;
  Deadline close_deadline_ = Deadline::none();
  // its own thread only
  Incoming incoming_;
  int nacks_in_a_row_ = 0;
  MonotonicTime unblocked_at_;
};

}  // namespace armazem::rabbit
