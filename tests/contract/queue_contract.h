// The contract of ports/queue.h and ports/dead_letters.h as tests, the same for every adapter.
//
// A program that tries a queue links the queue_contract_*.cc files and instantiates the suite with ways to make one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ports/dead_letters.h"
#include "ports/queue.h"
#include "support/eventually.h"
#include "support/messages.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {

inline constexpr std::size_t contract_partitions = 3;
inline constexpr std::size_t contract_window = 8;  // unconfirmed messages of one publisher

// Empty queues, and the faults that the contract speaks of.
class QueueUnderTest {
 public:
  virtual ~QueueUnderTest() = default;
  virtual std::unique_ptr<QueuePublisher> publisher(ReplySink& sink) = 0;
  virtual std::unique_ptr<QueueConsumer> consumer() = 0;
  virtual std::unique_ptr<DeadLetterBox> dead_letters() = 0;

  // From now on partition 0 takes no message.
  virtual void close_partition_0() = 0;
  virtual void hold_confirms() = 0;
  virtual void release_confirms() = 0;
  virtual void lose_reply_addresses() = 0;
  virtual void inject(std::size_t partition, std::string body) = 0;
};

struct QueueKind {
  std::string name;
  // Null with a reason: cannot be tried here.
  std::function<std::unique_ptr<QueueUnderTest>(std::string& why_not)> make;
};
inline void PrintTo(const QueueKind& kind, std::ostream* out) { *out << kind.name; }

class RecordingSink final : public ReplySink {
 public:
  void on_replies(std::span<const Reply> replies) override {
    const std::lock_guard lock(mutex_);
    replies_.insert(replies_.end(), replies.begin(), replies.end());
  }
  void on_replies_lost() override {
    const std::lock_guard lock(mutex_);
    ++lost_;
  }
  [[nodiscard]] std::vector<Reply> replies() const {
    const std::lock_guard lock(mutex_);
    return replies_;
  }
  [[nodiscard]] int lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Reply> replies_;
  int lost_ = 0;
};

inline Deadline within(std::chrono::milliseconds span) { return Deadline::after(MonotonicClock::now(), span); }

class QueueContract : public testing::TestWithParam<QueueKind> {
 protected:
  void SetUp() override {
    std::string why_not;
    under_test_ = GetParam().make(why_not);
    if (!under_test_) GTEST_SKIP() << why_not;
  }

  QueueUnderTest& queue() { return *under_test_; }
  std::unique_ptr<QueuePublisher> publisher() { return publisher(sink_); }
  std::unique_ptr<QueuePublisher> publisher(ReplySink& sink) {
    auto made = queue().publisher(sink);
    EXPECT_TRUE(eventually([&] { return made->health().ok; })) << made->health().detail;
    return made;
  }
  std::unique_ptr<QueueConsumer> consumer() {
    auto made = queue().consumer();
    EXPECT_TRUE(eventually([&] { return made->health().ok; })) << made->health().detail;
    return made;
  }

  Result<void> publish(QueuePublisher& to, std::vector<Mutation> mutations, std::size_t partition = 0) {
    return executor_.run(to.publish(partition, mutations, soon()));
  }
  void publish_texts(QueuePublisher& to, std::uint64_t from, std::uint64_t until) {
    for (std::uint64_t i = from; i < until; ++i) ASSERT_TRUE(publish(to, {put("k", std::to_string(i), i)}).has_value());
  }
  std::vector<Delivery> take(QueueConsumer& from, Deadline deadline) {
    return executor_.run(from.take(10'000, std::size_t{64} << 20, deadline));
  }
  // Takes until there are `count` messages, or none comes any more.
  std::vector<Delivery> take_many(QueueConsumer& from, std::size_t count) {
    std::vector<Delivery> all;
    while (all.size() < count) {
      std::vector<Delivery> some = take(from, within(std::chrono::seconds(20)));
      if (some.empty()) break;
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  }
  std::vector<DeadLetter> letters(std::size_t limit = 100) {
    auto listed = queue().dead_letters()->list(limit);
    EXPECT_TRUE(listed.has_value()) << listed.error().message;
    return listed ? std::move(*listed) : std::vector<DeadLetter>();
  }
  static void acknowledge(QueueConsumer& to, const std::vector<Delivery>& deliveries) {
    std::vector<std::uint64_t> ids;
    for (const Delivery& delivery : deliveries) ids.push_back(delivery.id);
    to.acknowledge(ids);
  }
  // The values of all mutations, sorted: order is not promised.
  static std::vector<std::string> texts(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> texts;
    for (const Delivery& delivery : deliveries) {
      for (const Mutation& mutation : delivery.mutations) texts.push_back(mutation.value.bytes);
    }
    std::ranges::sort(texts);
    return texts;
  }
  // One message that carries a reply address; adapters get theirs some time after they have connected. Others that come,
  // such as one whose acknowledgement was lost, are acknowledged and left aside.
  Delivery delivery_with_address(QueuePublisher& from, QueueConsumer& to, std::uint64_t ms) {
    Delivery found;
    EXPECT_TRUE(eventually([&] {
      if (!publish(from, {put("k", "addressed", ms)})) return false;
      bool came = false;
      while (!came) {
        std::vector<Delivery> taken = take_many(to, 1);
        if (taken.empty()) return false;
        acknowledge(to, taken);
        for (Delivery& delivery : taken) {
          if (delivery.mutations.front().version != version(ms, ms)) continue;
          came = true;
          found = std::move(delivery);
        }
      }
      return !found.reply_to.empty();
    }));
    return found;
  }

  RecordingSink sink_;
  TestExecutor executor_;
  std::unique_ptr<QueueUnderTest> under_test_;
};

inline Reply reply_to(const Delivery& delivery) {
  const Version sent = delivery.mutations.front().version;
  return {sent, {Verdict::applied, Effect::replaced, sent, sent, false}};
}

}  // namespace armazem::test
