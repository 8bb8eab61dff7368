// A broker in memory with any number of publishers and consumers, for tests and the simulation. At least once: what a
// consumer has not acknowledged is delivered again after its release, or its end. Fails on command.
//
// Thread rule: everything from any thread; one lock. It has no thread of its own, so somebody must call `expire` now
// and then for deadlines to be kept; what resumes, resumes on its own executor. Replies reach the sink on the thread of
// the consumer that sends them.
// Ownership: the broker must outlive its publishers, consumers and dead letters; a sink must outlive its publisher.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/limits.h"
#include "core/time_source.h"
#include "ports/dead_letters.h"
#include "ports/queue.h"

namespace armazem {

struct MemoryQueueOptions {
  std::size_t partitions = 1;
  // Of one publisher; beyond them a publish is `overloaded`. They only gather while confirms are held.
  std::size_t unconfirmed_messages_max = 1'024;
  std::size_t unconfirmed_bytes_max = std::size_t{64} << 20;
  // A message that comes back more often than that becomes a dead letter.
  std::size_t delivery_limit = 200;
};

class MemoryQueue {
 public:
  MemoryQueue(MemoryQueueOptions options, const TimeSource& time);
  ~MemoryQueue();
  MemoryQueue(const MemoryQueue&) = delete;
  MemoryQueue& operator=(const MemoryQueue&) = delete;

  [[nodiscard]] std::unique_ptr<QueuePublisher> connect_publisher(ReplySink& sink);
  [[nodiscard]] std::unique_ptr<QueueConsumer> connect_consumer();
  [[nodiscard]] std::unique_ptr<DeadLetterBox> dead_letters();

  // Ends what waits behind its deadline: takes empty, publishes as outcome_unknown.
  void expire(MonotonicTime now);

  // The next `calls` publishes end with `error` and leave no message.
  void refuse_publishes(std::size_t calls, Error error);
  // The next `calls` publishes leave their message and end as outcome_unknown.
  void lose_confirms(std::size_t calls);
  // From now on publishes leave their message, and wait.
  void hold_confirms();
  void release_confirms();
  // From now on no consumer gets anything.
  void hold_deliveries();
  void release_deliveries();
  // The next `messages` replies vanish.
  void lose_replies(std::size_t messages);
  // Every publisher gets a new reply address and is told that the old one is gone.
  void lose_reply_addresses();
  // The next `calls` of set_aside end as unavailable.
  void refuse_dead_letters(std::size_t calls);
  // Puts bytes into a partition that need not be a message.
  void inject(std::size_t partition, std::string body);

  [[nodiscard]] std::uint64_t depth() const;

 private:
  class Publisher;
  class Consumer;
  class Letters;
  struct Broker;
  std::unique_ptr<Broker> broker_;
};

}  // namespace armazem
