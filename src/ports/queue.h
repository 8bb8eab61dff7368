// Queue: the durable buffer for writes. Adapters: RabbitMQ quorum queues (cluster), memory (tests, simulation).
//
// A message is an envelope of mutations that happened to gather at one server; each mutation is decided, answered and set
// aside by itself. Delivery is at least once and in no promised order; core `apply` makes that harmless.
//
// Thread rule: every method may be called from any executor; a returned task resumes its awaiter on the awaiter's own
// executor. References and spans must stay alive until the task has ended.
// Durability: a confirmed message survives the loss of any minority of the queue's nodes.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "core/mutation.h"
#include "core/reply.h"
#include "core/result.h"
#include "core/task.h"

namespace armazem {

struct QueueHealth {
  bool ok = false;      // a message would be accepted (publisher) or delivered (consumer) now
  std::string detail;   // for people: what is wrong, or a short word on what it is
};

// Takes the replies of workers. Called on a thread of the adapter: must return soon and must not throw.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // At most once for what was published under the current reply address, in any order.
  virtual void on_replies(std::span<const Reply> replies) = 0;
  // The reply address is gone (connection lost): replies to what was published before this call will never come. What
  // is published after it has a new address.
  virtual void on_replies_lost() = 0;
};

// The server's side.
class QueuePublisher {
 public:
  virtual ~QueuePublisher() = default;

  // How many queues there are; `partition_of` (core/partition.h) chooses one for a key. At least 1, fixed.
  [[nodiscard]] virtual std::size_t partitions() const noexcept = 0;

  // Publishes one message and ends when the broker has confirmed that a quorum holds it.
  //   unavailable, overloaded, deadline_exceeded: certainly not in the queue (not connected, blocked by the broker, too
  //   many unconfirmed already, returned as unroutable).
  //   outcome_unknown: it may be in the queue (refused by a nack, connection lost, or no confirm before the deadline).
  // At most limits::message_mutations_max mutations. The bytes are copied before the call first suspends.
  virtual Task<Result<void>> publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) = 0;

  // Cheap; never waits.
  [[nodiscard]] virtual QueueHealth health() const = 0;
};

struct Delivery {
  std::uint64_t id = 0;               // names it to this consumer, never used twice
  std::vector<Mutation> mutations;    // at least one
  std::string reply_to;               // opaque; empty: nobody waits
  bool redelivered = false;           // only a hint: a first delivery may be marked, a second may not
};

// Why a mutation was set aside. Stored with it.
enum class DeadReason : std::uint8_t {
  too_old,      // older than the retention, and no record left to compare it with
  rejected,     // the store refuses this very mutation for ever, whatever it is batched with
  undecodable,  // the message does not parse (set by the adapter itself)
  expired,      // the broker's delivery limit was reached (set by the broker)
};
[[nodiscard]] std::string_view to_string(DeadReason reason) noexcept;

// The worker's side: one consumer over all partitions.
//
// Nothing is ever rejected because of an infrastructure error: `release` gives messages back and stops.
class QueueConsumer {
 public:
  virtual ~QueueConsumer() = default;

  // Waits for the first message, takes all that have arrived, up to about `mutations_max` mutations or `bytes_max` bytes
  // (one message always). No artificial delay. Empty: nothing before the deadline, or closed. Several calls may wait.
  virtual Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) = 0;

  // Best effort, at most once, never waits. One message per address and call.
  virtual void reply(const std::string& reply_to, std::vector<Reply> replies) = 0;

  // Never waits. Of a delivery that the broker has taken back meanwhile (connection lost), it does nothing.
  virtual void acknowledge(std::span<const std::uint64_t> ids) = 0;

  // Puts one mutation into the dead letters; durable when it succeeds. The delivery is acknowledged by the caller, after.
  virtual Task<Result<void>> set_aside(const Mutation& mutation, DeadReason reason, std::string detail,
                                       Deadline deadline) = 0;

  // Gives every unacknowledged message back to the broker and delivers nothing more until `resume`.
  virtual void release() = 0;
  virtual void resume() = 0;

  // Messages that wait in all partitions, as of the last look (at most a few seconds ago); for adapting and for metrics.
  [[nodiscard]] virtual std::uint64_t depth() const noexcept = 0;
  [[nodiscard]] virtual QueueHealth health() const = 0;

  // Stops delivering; waiting and later `take` calls end empty. What was delivered may still be answered and acknowledged
  // until the destructor, which gives the rest back.
  virtual void close() = 0;
};

}  // namespace armazem
