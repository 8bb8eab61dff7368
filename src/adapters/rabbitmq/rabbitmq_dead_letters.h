// The dead letters in their RabbitMQ queue: looked at by basic.get and given back by closing the channel.
//
// Order of effects of a replay: every mutation of the letter is confirmed by its queue, and only then is the letter
// acknowledged. What ends in between leaves the letter where it is, and doubles, which `apply` makes harmless.
//
// Letters of the broker's own (delivery limit) carry no header of ours; their reason comes from x-first-death-reason.
//
// Thread rule: one thread; calls block. While a call runs, the letters that it holds are not seen by others.
#pragma once

#include "adapters/rabbitmq/rabbitmq_queue.h"

namespace armazem::rabbit {

class RabbitmqDeadLetters final : public DeadLetterBox {
 public:
  explicit RabbitmqDeadLetters(const RabbitmqOptions& options) : options_(options) {}

  Result<std::vector<DeadLetter>> list(std::size_t limit) override;
  Result<void> replay(std::uint64_t number, std::optional<Version> stamp) override;
  Result<void> drop(std::uint64_t number) override;

 private:
  const RabbitmqOptions options_;
};

}  // namespace armazem::rabbit
