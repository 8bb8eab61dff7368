// The commands of the memory broker: a fault that is asked for must happen, as often as asked, and then stop.
#include "adapters/memory/memory_queue.h"

#include "contract/queue_contract.h"

namespace armazem::test {
namespace {

class MemoryQueueFaults : public testing::Test {
 protected:
  Result<void> publish(const std::string& text) {
    const std::vector<Mutation> one = {put("k", text, 1)};
    return executor_.run(publisher_->publish(0, one, soon()));
  }
  std::vector<Delivery> take() { return executor_.run(consumer_->take(100, 1 << 20, passed())); }

  TestTime time_;
  TestExecutor executor_;
  RecordingSink sink_;
  MemoryQueue queue_{{.delivery_limit = 2}, time_};
  std::unique_ptr<QueuePublisher> publisher_ = queue_.connect_publisher(sink_);
  std::unique_ptr<QueueConsumer> consumer_ = queue_.connect_consumer();
};

TEST_F(MemoryQueueFaults, RefusedPublishesLeaveNothing) {
  queue_.refuse_publishes(2, {ErrorCode::overloaded, "asked for"});
  EXPECT_EQ(publish("1").error().code, ErrorCode::overloaded);
  EXPECT_FALSE(publisher_->health().ok);
  EXPECT_EQ(publish("2").error().message, "asked for");
  EXPECT_TRUE(publish("3").has_value());
  EXPECT_EQ(queue_.depth(), 1U);
}

TEST_F(MemoryQueueFaults, LostConfirmsLeaveTheMessage) {
  queue_.lose_confirms(1);
  EXPECT_EQ(publish("1").error().code, ErrorCode::outcome_unknown);
  EXPECT_TRUE(publish("2").has_value());
  EXPECT_EQ(take().size(), 2U);
}

TEST_F(MemoryQueueFaults, HeldDeliveriesComeLater) {
  queue_.hold_deliveries();
  ASSERT_TRUE(publish("1").has_value());
  EXPECT_TRUE(take().empty());
  queue_.release_deliveries();
  EXPECT_EQ(take().size(), 1U);
}

TEST_F(MemoryQueueFaults, LostRepliesVanish) {
  ASSERT_TRUE(publish("1").has_value());
  const Delivery delivery = take().at(0);
  queue_.lose_replies(1);
  consumer_->reply(delivery.reply_to, {reply_to(delivery)});
  EXPECT_TRUE(sink_.replies().empty());
  consumer_->reply(delivery.reply_to, {reply_to(delivery)});
  EXPECT_EQ(sink_.replies().size(), 1U);
}

TEST_F(MemoryQueueFaults, RefusedDeadLetters) {
  queue_.refuse_dead_letters(1);
  const Mutation mutation = put("k", "v", 1);
  EXPECT_EQ(executor_.run(consumer_->set_aside(mutation, DeadReason::rejected, "", soon())).error().code,
            ErrorCode::unavailable);
  EXPECT_TRUE(executor_.run(consumer_->set_aside(mutation, DeadReason::rejected, "", soon())).has_value());
  EXPECT_EQ(queue_.dead_letters()->list(10)->size(), 1U);
}

TEST_F(MemoryQueueFaults, WhatComesBackTooOftenBecomesADeadLetter) {
  ASSERT_TRUE(publish("1").has_value());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(take().size(), 1U);
    consumer_->release();
    consumer_->resume();
  }
  EXPECT_TRUE(take().empty());
  EXPECT_EQ(queue_.dead_letters()->list(10)->at(0).reason, "delivery-limit");
}

}  // namespace
}  // namespace armazem::test
