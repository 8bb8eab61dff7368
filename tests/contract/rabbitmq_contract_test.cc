// The Queue contract on RabbitMQ.
#include "contract/queue_contract.h"
#include "contract/rabbitmq_fixture.h"
#include "contract/raw_amqp.h"

namespace armazem::test {
namespace {

class RabbitmqQueueUnderTest final : public QueueUnderTest {
 public:
  RabbitmqQueueUnderTest() { EXPECT_TRUE(queues_.declared().has_value()) << queues_.declared().error().message; }

  std::unique_ptr<QueuePublisher> publisher(ReplySink& sink) override {
    RabbitmqOptions options = queues_.proxied();
    options.unconfirmed_messages_max = contract_window;
    return make_rabbitmq_publisher(options, sink).value();
  }
  std::unique_ptr<QueueConsumer> consumer() override { return make_rabbitmq_consumer(queues_.proxied()).value(); }
  std::unique_ptr<DeadLetterBox> dead_letters() override {
    return make_rabbitmq_dead_letters(queues_.direct()).value();
  }
  void close_partition_0() override { RawAmqp(queues_.direct()).delete_queue(queues_.direct().prefix + "0"); }
  void hold_confirms() override { queues_.proxy().hold_answers(true); }
  void release_confirms() override { queues_.proxy().hold_answers(false); }
  void lose_reply_addresses() override { queues_.proxy().cut(); }
  void inject(std::size_t partition, std::string body) override {
    RawAmqp(queues_.direct()).publish(queues_.direct().prefix + std::to_string(partition), body);
  }

 private:
  RabbitmqQueues queues_{contract_partitions};
};

INSTANTIATE_TEST_SUITE_P(Rabbitmq, QueueContract,
                         testing::Values(QueueKind{"rabbitmq",
                                                   [](std::string& why_not) -> std::unique_ptr<QueueUnderTest> {
                                                     why_not = no_broker;
                                                     if (broker_url().empty()) return nullptr;
                                                     return std::make_unique<RabbitmqQueueUnderTest>();
                                                   }}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
