// A bare client of the broker, for what ours never does: foreign bytes, queues with other arguments, deleting one
// queue.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "adapters/rabbitmq/amqp_text.h"
#include "adapters/rabbitmq/topology.h"

namespace armazem::test {

class RawAmqp {
 public:
  explicit RawAmqp(const RabbitmqOptions& options) {
    connection_ = rabbit::connect_once(options, "test", watchdog_).value();
    EXPECT_TRUE(connection_->open_channel(1).has_value());
  }

  // Confirmed, so that the message is there when this returns.
  void publish(const std::string& queue, const std::string& body) {
    amqp_confirm_select(raw(), 1);
    EXPECT_TRUE(connection_->rpc_result(1, "confirm").has_value());
    amqp_basic_publish(raw(), 1, amqp_empty_bytes, rabbit::as_bytes(queue), 1, 0, nullptr, rabbit::as_bytes(body));
    amqp_frame_t frame;
    EXPECT_EQ(amqp_simple_wait_frame(raw(), &frame), AMQP_STATUS_OK);
    EXPECT_EQ(frame.payload.method.id, AMQP_BASIC_ACK_METHOD);
  }
  void delete_queue(const std::string& queue) {
    amqp_queue_delete(raw(), 1, rabbit::as_bytes(queue), 0, 0);
    EXPECT_TRUE(connection_->rpc_result(1, "delete").has_value());
  }
  void declare_plain(const std::string& queue) {
    amqp_queue_declare(raw(), 1, rabbit::as_bytes(queue), 0, 1, 0, 0, amqp_empty_table);
    EXPECT_TRUE(connection_->rpc_result(1, "declare").has_value());
  }

 private:
  [[nodiscard]] amqp_connection_state_t raw() const { return connection_->raw(); }
  rabbit::Watchdog watchdog_{[](MonotonicTime) {}};
  std::unique_ptr<rabbit::Connection> connection_;
};

}  // namespace armazem::test
