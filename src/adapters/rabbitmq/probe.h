// Looks at queues again and again by passive declare, without waiting for the answers: how many messages wait, and
// whether the broker still answers at all. A consumer that the broker has lost sees nothing otherwise: no error, no
// delivery (rabbitmq-server issue 15473).
//
// Thread rule: one thread. It has a channel of its own, because asking for a queue that is not there closes the
// channel.
#pragma once

#include <amqp.h>

#include <optional>
#include <string>
#include <vector>

#include "adapters/rabbitmq/connection.h"

namespace armazem::rabbit {

class Probe {
 public:
  struct Look {
    std::uint64_t messages = 0;          // that wait, over all queues
    std::uint64_t consumers_fewest = 0;  // of the queue with the fewest
    std::optional<std::uint64_t> aside;  // messages in `aside`, when it answered
  };

  // `aside` is counted by itself and may be away: nobody depends on it. Empty: none.
  Probe(std::vector<std::string> queues, const RabbitmqOptions& options, std::string aside = {});

  // To be called on a fresh connection, with an unused channel.
  Result<void> open(Connection& connection, amqp_channel_t channel);
  // Asks when it is time to. `unavailable`: the broker owes an answer for too long.
  Result<void> step(Connection& connection, MonotonicTime now);
  // A frame of the channel. A look when this was the last answer of a round.
  Result<std::optional<Look>> take(Connection& connection, const amqp_frame_t& frame);

 private:
  Result<void> ask(Connection& connection, const std::string& queue);
  [[nodiscard]] bool only_aside_missing() const { return !aside_.empty() && answers_missing_ == 1; }
  [[nodiscard]] Look end_round();

  const std::vector<std::string> queues_;
  const std::string aside_;
  const RabbitmqOptions options_;
  amqp_channel_t channel_ = 0;
  bool channel_open_ = false;
  std::size_t answers_missing_ = 0;
  int refusals_ = 0;  // rounds in a row
  MonotonicTime asked_at_;
  Look look_;
};

}  // namespace armazem::rabbit
