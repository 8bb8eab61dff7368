// The Queue port on RabbitMQ quorum queues: the public face of this folder. docs/messages.md says what is on the wire.
//
// The makers check the URL and nothing else: with the broker down they succeed, keep trying to connect, and `health`
// says so. Every object has threads of its own (librabbitmq blocks), and each of them a connection of its own:
//   publisher  one that publishes, one that takes replies
//   consumer   one that takes deliveries and acknowledges, one that sends replies and dead letters
// and one thread that keeps deadlines and cuts a connection on which a library call hangs.
//
// Thread rule: makers, declare and check from any thread, they block; the objects as their ports say.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "adapters/rabbitmq/figures.h"
#include "core/limits.h"
#include "ports/dead_letters.h"
#include "ports/queue.h"

namespace armazem {

struct RabbitmqOptions {
  std::string url;                       // adapters/rabbitmq/url.h
  std::string prefix = "store-events.";  // queues are <prefix>0 … <prefix>N-1 and <prefix>dead
  std::size_t partitions = 1;

  // One publisher, or one consumer's dead letters: what may wait for its confirm. Beyond it, `overloaded`.
  std::size_t unconfirmed_messages_max = 1'024;
  std::size_t unconfirmed_bytes_max = std::size_t{64} << 20;

  // Messages that a consumer holds unacknowledged, over all partitions; bounds its memory too. At most 2,000
  // (RabbitMQ).
  std::size_t prefetch = 256;
  // An acknowledgement may wait so long for others to share its frame: each one is a round of the queue's Raft log. A crash
  // meanwhile means a few more redeliveries. 0: none waits.
  std::chrono::milliseconds ack_delay{25};
  // Deliveries of one message before the broker makes it a dead letter. High, because a crash or a lost connection of a
  // worker counts one for everything that it held.
  int delivery_limit = 200;

  std::chrono::milliseconds connect_timeout{3'000};  // per host: TCP, TLS and login each
  std::chrono::milliseconds rpc_timeout{10'000};  // an answer of the broker; quorum queues wait for an election
  std::chrono::milliseconds send_timeout{3'000};  // a socket that takes no bytes is cut after that
  std::chrono::milliseconds confirm_timeout{10'000};  // without the oldest confirm the connection is given up
  std::chrono::milliseconds probe_interval{3'000};  // between two looks at the queues
  std::chrono::milliseconds close_timeout{2'000};  // for confirms still expected when an object is destroyed
  std::chrono::seconds heartbeat{10};
  std::chrono::milliseconds backoff_min{20};
  std::chrono::milliseconds backoff_max{2'000};
};

class RabbitmqPublisher : public QueuePublisher {
 public:
  [[nodiscard]] virtual RabbitmqFigures figures() const = 0;
};
class RabbitmqConsumer : public QueueConsumer {
 public:
  [[nodiscard]] virtual RabbitmqFigures figures() const = 0;
};

// invalid_argument: the URL or an option is wrong. `sink` must outlive the publisher.
[[nodiscard]] Result<std::unique_ptr<RabbitmqPublisher>> make_rabbitmq_publisher(const RabbitmqOptions& options,
                                                                                 ReplySink& sink);
[[nodiscard]] Result<std::unique_ptr<RabbitmqConsumer>> make_rabbitmq_consumer(const RabbitmqOptions& options);
// Connects anew for each call.
[[nodiscard]] Result<std::unique_ptr<DeadLetterBox>> make_rabbitmq_dead_letters(const RabbitmqOptions& options);

// Makes the queues, or finds them as they should be. unavailable: no broker answers. precondition: a queue exists with
// other arguments (the message names it and the difference).
[[nodiscard]] Result<void> declare_topology(const RabbitmqOptions& options);
// unavailable: no broker answers. precondition: a queue is missing.
[[nodiscard]] Result<void> check_topology(const RabbitmqOptions& options);
// Removes the queues with all that is in them. For tests.
[[nodiscard]] Result<void> delete_topology(const RabbitmqOptions& options);

}  // namespace armazem
