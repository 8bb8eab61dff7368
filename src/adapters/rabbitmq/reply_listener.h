// Takes the replies of workers on a connection of its own: an exclusive queue that the broker names, for as long as the
// connection lives. A new connection is a new queue with another name; replies to the old one are lost, and the sink is
// told so.
//
// Not direct reply-to: that ties publishing and replies to one channel, and drops replies when the reader is slow.
//
// Thread rule: any thread. The sink is called on the listener's thread.
#pragma once

#include <string>

#include "adapters/rabbitmq/incoming.h"
#include "adapters/rabbitmq/link_thread.h"
#include "adapters/rabbitmq/probe.h"
#include "adapters/rabbitmq/reply_address.h"
#include "ports/queue.h"

namespace armazem::rabbit {

class ReplyListener final : public LinkOwner {
 public:
  // All must outlive it.
  ReplyListener(const Url& url, const RabbitmqOptions& options, ReplySink& sink, ReplyAddress& address,
                Watchdog& watchdog, Counters& counters);
  void start() { link_.start(); }
  void request_stop() { link_.request_stop(); }
  void stop() { link_.stop(); }

 private:
  Result<void> serve(Connection& connection) override;
  void on_down(const Error& why) override;
  Result<std::string> open_queue(Connection& connection);
  Result<void> read_frames(Connection& connection, Probe& probe);
  Result<void> take_frame(const amqp_frame_t& frame);

  const RabbitmqOptions options_;
  ReplySink& sink_;
  ReplyAddress& address_;
  Counters& counters_;
  LinkThread link_;
  Incoming incoming_;  // its own thread only
};

}  // namespace armazem::rabbit
