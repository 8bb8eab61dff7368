// The worker's side on RabbitMQ: deliveries and acknowledgements on one connection, replies and dead letters on
// another, because a broker under a memory alarm stops reading from connections that publish, and acknowledgements must
// go on.
//
// Thread rule: as its port says. One thread works the first connection, one the second (Sender), one keeps deadlines.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "adapters/rabbitmq/ack_window.h"
#include "adapters/rabbitmq/inbox.h"
#include "adapters/rabbitmq/incoming.h"
#include "adapters/rabbitmq/link_thread.h"
#include "adapters/rabbitmq/probe.h"
#include "adapters/rabbitmq/sender.h"
#include "adapters/rabbitmq/undecodables.h"

namespace armazem::rabbit {

class Consumer final : public RabbitmqConsumer, private LinkOwner {
 public:
  Consumer(const Url& url, const RabbitmqOptions& options);
  ~Consumer() override;

  Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) override;
  void reply(const std::string& reply_to, std::vector<Reply> replies) override;
  void acknowledge(std::span<const std::uint64_t> ids) override;
  Task<Result<void>> set_aside(const Mutation& mutation, DeadReason reason, std::string detail,
                               Deadline deadline) override;
  void release() override;
  void resume() override;
  [[nodiscard]] std::uint64_t depth() const noexcept override { return depth_.load(std::memory_order_relaxed); }
  [[nodiscard]] QueueHealth health() const override;
  void close() override;
  [[nodiscard]] RabbitmqFigures figures() const override {
    RabbitmqFigures figures = counters_.figures();
    figures.dead_letters = dead_letters_.load(std::memory_order_relaxed);
    return figures;
  }

 private:
  // All below: the first connection's thread.
  Result<void> serve(Connection& connection) override;
  void on_down(const Error& why) override;
  Result<void> obey(Connection& connection);
  Result<void> subscribe(Connection& connection);
  Result<void> start_consuming(Connection& connection);
  Result<void> unsubscribe(Connection& connection, const std::string& why);
  Result<void> acknowledge_tags(Connection& connection, std::vector<std::uint64_t> tags);
  Result<void> give_back_tags(Connection& connection, const std::vector<std::uint64_t>& tags);
  Result<void> cancel(Connection& connection);
  Result<void> read_frames(Connection& connection);
  Result<void> take_frame(Connection& connection, const amqp_frame_t& frame, std::vector<Arrival>& arrivals);
  Result<void> subscription_lost(Connection& connection, const amqp_method_t& method);
  void take_message(IncomingMessage message, std::vector<Arrival>& arrivals);
  void hand_over(std::vector<Arrival> arrivals);
  Result<void> judge(Connection& connection, const Probe::Look& look);

  const RabbitmqOptions options_;
  Counters counters_;
  std::atomic<std::uint64_t> depth_{0};
  std::atomic<std::uint64_t> dead_letters_{0};
  Inbox inbox_;
  std::unique_ptr<Sender> sender_;
  LinkThread link_;
  std::unique_ptr<Undecodables> undecodables_;
  Watchdog watchdog_;

  // its own thread only
  Probe probe_;
  Incoming incoming_;
  AckWindow open_;
  std::vector<std::uint64_t> to_acknowledge_;  // tags of the current channel that wait for others
  MonotonicTime acknowledge_at_;
  amqp_channel_t channel_ = 1;  // of the subscription; each has a new one
  bool subscribed_ = false;
  bool cancelled_ = false;
  std::uint64_t subscription_ = 0;
  MonotonicTime subscribe_at_;
  std::vector<std::string> tags_;
  struct Undecodable {
    std::uint64_t tag;
    std::string body;
    std::string why;
  };
  std::vector<Undecodable> undecodable_;  // of the frames that are being read
  std::uint64_t arrived_ = 0;
  std::uint64_t arrived_at_last_look_ = 0;
  int quiet_looks_ = 0;
};

}  // namespace armazem::rabbit
