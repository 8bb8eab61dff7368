// The message broker with its quorum queues, and the queue adapters of one process in front of it: durable once confirmed,
// at least once, in no promised order. It models what RabbitMQ and the adapter of src/adapters/rabbitmq/ do together; the
// contract suite of the port holds the real ones to the same rules.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/queue.h"
#include "simulation/link.h"

namespace armazem::sim {

class SimPublisher;
class SimConsumer;

class Broker {
 public:
  Broker(World& world, std::size_t partitions) : queues(partitions), world_(world) {}

  struct Message {
    std::uint64_t id = 0;
    std::string body;
    std::uint64_t reply_to = 0;  // an address of a publisher; 0: nobody waits
    unsigned deliveries = 0;
  };
  struct Queue {
    std::deque<Message> ready;
    Microseconds missing_until = 0;  // it does not exist: a message to it can be routed nowhere
    Microseconds leaderless_until = 0;
  };
  struct Letter {
    Mutation mutation;
    DeadReason reason;
  };

  // What happens to the next messages of whoever publishes.
  unsigned nacks = 0;
  unsigned lost_publishes = 0;
  unsigned lost_confirms = 0;
  unsigned lost_replies = 0;
  unsigned duplicates = 0;
  unsigned reorders = 0;
  Microseconds blocked_until = 0;  // an alarm: it reads nothing from publishers

  std::vector<Queue> queues;
  std::vector<Letter> letters;
  std::size_t held_up = 0;  // messages that come later than others
  std::vector<SimPublisher*> publishers;
  std::vector<SimConsumer*> consumers;

  void take_in(std::size_t partition, Message message);
  void hand_out();
  // The leader of a queue is gone: what was delivered and not acknowledged comes again, and for a while nothing moves.
  void fail_over(std::size_t partition, Microseconds span);
  // Everything that waits or is with a consumer.
  [[nodiscard]] std::size_t depth() const;
  [[nodiscard]] std::uint64_t next_id() noexcept { return ++ids_; }

 private:
  World& world_;
  std::uint64_t ids_ = 0;
  std::size_t next_consumer_ = 0;
};

class SimPublisher final : public QueuePublisher {
 public:
  SimPublisher(Broker& broker, World& world, Process& process);

  void set_sink(ReplySink& sink) noexcept { sink_ = &sink; }
  [[nodiscard]] std::size_t partitions() const noexcept override { return broker_.queues.size(); }
  Task<Result<void>> publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) override;
  [[nodiscard]] QueueHealth health() const override { return {true, "simulated"}; }

  // The connection breaks: what is not confirmed may or may not be in the queue, and replies to it are lost.
  void lose_connection(Microseconds down_for);
  // The broker finds out that nobody is there any more.
  void disconnect();
  void on_reply(std::uint64_t address, std::vector<Reply> replies);
  [[nodiscard]] std::uint64_t address() const noexcept { return address_; }
  [[nodiscard]] Process& process() const noexcept { return process_; }

  Link link;

 private:
  using Confirm = Rpc<Result<void>>;
  void arrive(std::size_t partition, std::string body, std::uint64_t reply_to, Confirm& confirm);

  Broker& broker_;
  World& world_;
  Process& process_;
  ReplySink* sink_ = nullptr;
  std::uint64_t address_;
  Microseconds down_until_ = 0;
  std::vector<Confirm*> unconfirmed_;
};

class SimConsumer final : public QueueConsumer {
 public:
  SimConsumer(Broker& broker, World& world, Process& process, std::size_t prefetch);

  Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) override;
  void reply(const std::string& reply_to, std::vector<Reply> replies) override;
  void acknowledge(std::span<const std::uint64_t> ids) override;
  Task<Result<void>> set_aside(const Mutation& mutation, DeadReason reason, std::string detail, Deadline deadline) override;
  void release() override;
  void resume() override;
  [[nodiscard]] std::uint64_t depth() const noexcept override;
  [[nodiscard]] QueueHealth health() const override { return {true, "simulated"}; }
  void close() override;

  // The connection breaks: everything that is not acknowledged goes back, and acknowledgements on their way are void.
  void lose_connection(Microseconds down_for);
  void disconnect();
  // What of that partition is not acknowledged goes back, although this consumer still has it.
  void give_back(std::optional<std::size_t> partition);
  [[nodiscard]] bool wants() const noexcept;
  void deliver(std::size_t partition, Broker::Message message);
  [[nodiscard]] std::size_t unacknowledged() const noexcept { return unacknowledged_.size(); }
  [[nodiscard]] Process& process() const noexcept { return process_; }

  Link link;

 private:
  struct Held {
    std::uint64_t id;
    std::size_t partition;
    Broker::Message message;
  };
  using Wake = Rpc<Result<void>>;
  void arrive(std::uint64_t id);

  Broker& broker_;
  World& world_;
  Process& process_;
  const std::size_t prefetch_;
  std::uint64_t connection_ = 1;  // counts up with each new one
  Microseconds down_until_ = 0;
  bool released_ = false;
  bool closed_ = false;
  bool gone_ = false;
  std::vector<Held> unacknowledged_;   // as the broker sees it, in order of delivery
  std::vector<Delivery> inbox_;
  std::vector<Wake*> waiting_;
};

}  // namespace armazem::sim
