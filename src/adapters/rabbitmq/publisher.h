// The server's side on RabbitMQ: one Sender, one ReplyListener, and a thread that keeps deadlines.
//
// Thread rule: as its port says.
#pragma once

#include "adapters/rabbitmq/reply_listener.h"
#include "adapters/rabbitmq/sender.h"

namespace armazem::rabbit {

class Publisher final : public RabbitmqPublisher {
 public:
  Publisher(const Url& url, const RabbitmqOptions& options, ReplySink& sink);
  ~Publisher() override;

  [[nodiscard]] std::size_t partitions() const noexcept override { return options_.partitions; }
  Task<Result<void>> publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) override;
  [[nodiscard]] QueueHealth health() const override { return sender_.health(); }
  [[nodiscard]] RabbitmqFigures figures() const override { return counters_.figures(); }

 private:
  const RabbitmqOptions options_;
  Counters counters_;
  ReplyAddress address_;
  Sender sender_;
  ReplyListener listener_;
  Watchdog watchdog_;
};

}  // namespace armazem::rabbit
