// The queue that needs no server.
#include <thread>

#include "adapters/memory/memory_queue.h"
#include "contract/queue_contract.h"

namespace armazem::test {
namespace {

class SystemTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override { return 1'700'000'000'000; }
  [[nodiscard]] MonotonicTime now() const noexcept override { return MonotonicClock::now(); }
};

class MemoryQueueUnderTest final : public QueueUnderTest {
 public:
  ~MemoryQueueUnderTest() override {
    stopping_ = true;
    clockwork_.join();
  }
  std::unique_ptr<QueuePublisher> publisher(ReplySink& sink) override { return queue_.connect_publisher(sink); }
  std::unique_ptr<QueueConsumer> consumer() override { return queue_.connect_consumer(); }
  std::unique_ptr<DeadLetterBox> dead_letters() override { return queue_.dead_letters(); }
  void close_partition_0() override {
    queue_.refuse_publishes(1'000'000, {ErrorCode::unavailable, "there is no such queue"});
  }
  void hold_confirms() override { queue_.hold_confirms(); }
  void release_confirms() override { queue_.release_confirms(); }
  void lose_reply_addresses() override { queue_.lose_reply_addresses(); }
  void inject(std::size_t partition, std::string body) override { queue_.inject(partition, std::move(body)); }

 private:
  SystemTime time_;
  MemoryQueue queue_{{.partitions = contract_partitions, .unconfirmed_messages_max = contract_window}, time_};
  std::atomic<bool> stopping_{false};
  std::thread clockwork_{[this] {
    while (!stopping_) {
      queue_.expire(MonotonicClock::now());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }};
};

INSTANTIATE_TEST_SUITE_P(Memory, QueueContract,
                         testing::Values(QueueKind{"memory",
                                                   [](std::string&) -> std::unique_ptr<QueueUnderTest> {
                                                     return std::make_unique<MemoryQueueUnderTest>();
                                                   }}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
