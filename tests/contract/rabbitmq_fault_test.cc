// RabbitMQ behind a network that fails: nothing confirmed is lost, everything ends within its deadline, and each test
// ends by showing that all works again.
#include <set>

#include "contract/queue_contract.h"
#include "contract/rabbitmq_fixture.h"
#include "contract/raw_amqp.h"
#include "core/partition.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;

class RabbitmqFault : public testing::Test {
 protected:
  void SetUp() override {
    if (broker_url().empty()) GTEST_SKIP() << no_broker;
    queues_ = std::make_unique<RabbitmqQueues>(2);
    ASSERT_TRUE(queues_->declared().has_value()) << queues_->declared().error().message;
    options_ = queues_->proxied();
    options_.confirm_timeout = 2s;
    options_.rpc_timeout = 3s;
    options_.send_timeout = 500ms;
    options_.connect_timeout = 1s;
    options_.close_timeout = 500ms;
  }

  std::unique_ptr<RabbitmqPublisher> publisher() {
    auto made = make_rabbitmq_publisher(options_, sink_).value();
    EXPECT_TRUE(eventually([&] { return made->health().ok; })) << made->health().detail;
    return made;
  }
  std::unique_ptr<RabbitmqConsumer> consumer(const RabbitmqOptions& options) {
    auto made = make_rabbitmq_consumer(options).value();
    EXPECT_TRUE(eventually([&] { return made->health().ok; })) << made->health().detail;
    return made;
  }
  Result<void> publish(QueuePublisher& to, const std::string& text, std::chrono::milliseconds span = 20s) {
    const std::vector<Mutation> one = {put("k", text, 1)};
    return executor_.run(to.publish(0, one, within(span)));
  }
  // Everything that is in the queues, straight from the broker.
  std::multiset<std::string> drain() {
    std::multiset<std::string> all;
    const auto from = consumer(queues_->direct());
    while (true) {
      const auto some = executor_.run(from->take(1000, 1 << 24, within(700ms)));
      if (some.empty()) return all;
      std::vector<std::uint64_t> ids;
      for (const Delivery& delivery : some) {
        for (const Mutation& mutation : delivery.mutations) all.insert(mutation.value.bytes);
        ids.push_back(delivery.id);
      }
      from->acknowledge(ids);
    }
  }
  void expect_to_work_again(QueuePublisher& to) {
    EXPECT_TRUE(eventually([&] { return publish(to, "works again").has_value(); })) << to.health().detail;
  }

  std::unique_ptr<RabbitmqQueues> queues_;
  RabbitmqOptions options_;
  RecordingSink sink_;
  TestExecutor executor_;
};

struct Sent {
  std::set<std::string> confirmed;
  std::set<std::string> surely_not;
  std::set<std::string> unknown;
};

Task<void> publish_many(QueuePublisher& to, std::string name, int count, std::string padding, Sent& sent) {
  for (int i = 0; i < count; ++i) {
    const std::string text = name + std::to_string(i) + padding;
    std::vector<Mutation> one = {put("k", text, 1)};
    const auto result = co_await to.publish(static_cast<std::size_t>(i) % 2, one, within(5s));
    if (result) {
      sent.confirmed.insert(text);
    } else if (result.error().code == ErrorCode::outcome_unknown) {
      sent.unknown.insert(text);
    } else {
      sent.surely_not.insert(text);
      co_await sleep_until(MonotonicClock::now() + 5ms);  // a client's pause before it tries again
    }
  }
}

TEST_F(RabbitmqFault, CutsInTheMiddleOfTheStreamLoseNothingThatWasConfirmed) {
  const auto to = publisher();
  Sent sent;
  for (int round = 0; round < 6; ++round) {
    TaskScope scope(executor_);
    queues_->proxy().cut_after(20'000 + 7'001 * static_cast<std::uint64_t>(round));  // in the middle of a frame
    for (int client = 0; client < 8; ++client) {
      const std::string name = std::to_string(round) + "-" + std::to_string(client) + "-";
      scope.spawn(publish_many(*to, name, 25, std::string(400, '.'), sent));
    }
    executor_.run_until([&] { return scope.running() == 0; });
    EXPECT_TRUE(eventually([&] { return to->health().ok; }));
  }
  EXPECT_EQ(sent.confirmed.size() + sent.surely_not.size() + sent.unknown.size(), 6U * 8 * 25);
  EXPECT_GT(sent.confirmed.size(), 300U);
  EXPECT_GT(sent.unknown.size(), 0U) << "the cuts hit nothing";
  EXPECT_GE(to->figures().link_losses, 6U);
  const auto found = drain();
  for (const std::string& text : sent.confirmed) EXPECT_EQ(found.count(text), 1U) << "lost or doubled: " << text;
  for (const std::string& text : sent.surely_not) EXPECT_EQ(found.count(text), 0U) << "said not to be there: " << text;
  expect_to_work_again(*to);
}

TEST_F(RabbitmqFault, ABrokerThatCannotBeReachedIsUnavailableAtOnce) {
  const auto to = publisher();
  queues_->proxy().refuse(true);
  ASSERT_TRUE(eventually([&] { return !to->health().ok; }));
  const MonotonicTime begun = MonotonicClock::now();
  const auto refused = publish(*to, "x");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_LT(MonotonicClock::now() - begun, 500ms);
  queues_->proxy().refuse(false);
  expect_to_work_again(*to);
}

TEST_F(RabbitmqFault, WithNoBrokerAtStartTheObjectsWaitForOne) {
  queues_->proxy().refuse(true);
  const auto to = make_rabbitmq_publisher(options_, sink_).value();
  const auto from = make_rabbitmq_consumer(options_).value();
  ASSERT_TRUE(eventually([&] { return to->health().detail != "connecting"; }));
  EXPECT_FALSE(to->health().ok);
  EXPECT_FALSE(from->health().ok);
  EXPECT_TRUE(executor_.run(from->take(1, 1, within(50ms))).empty());
  const Mutation mutation = put("k", "v", 1);
  EXPECT_EQ(executor_.run(from->set_aside(mutation, DeadReason::rejected, "", soon())).error().code,
            ErrorCode::unavailable);
  queues_->proxy().refuse(false);
  expect_to_work_again(*to);
  EXPECT_EQ(executor_.run(from->take(1, 1, soon())).size(), 1U);
}

// The network swallows everything: no error ever comes, only silence.
TEST_F(RabbitmqFault, InABlackHoleEverythingEndsInTimeAndOthersAreAsked) {
  const auto to = publisher();
  queues_->proxy().blackhole(true);
  const MonotonicTime begun = MonotonicClock::now();
  const auto unknown = publish(*to, "swallowed", 300ms);
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::outcome_unknown);
  EXPECT_LT(MonotonicClock::now() - begun, 1s);
  EXPECT_TRUE(eventually([&] { return !to->health().ok; }, 5s)) << "the silence must be noticed";
  queues_->proxy().blackhole(false);
  queues_->proxy().cut();
  expect_to_work_again(*to);
}

// A broker that stops reading: the buffers fill up, and librabbitmq would hang in its send for ever.
TEST_F(RabbitmqFault, ABrokerThatDoesNotReadMakesPublishesFailInBoundedTime) {
  options_.unconfirmed_bytes_max = std::size_t{256} << 20;
  const auto to = publisher();
  queues_->proxy().blackhole(true);
  Sent sent;
  TaskScope scope(executor_);
  const MonotonicTime begun = MonotonicClock::now();
  for (int client = 0; client < 24; ++client) {  // 24 MB, more than the buffers in between hold
    scope.spawn(publish_many(*to, std::to_string(client), 1, std::string(1 << 20, '.'), sent));
  }
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_LT(MonotonicClock::now() - begun, 6s) << "a deadline is 5 s";
  EXPECT_TRUE(sent.confirmed.empty());
  EXPECT_FALSE(sent.surely_not.empty()) << "what was never sent is certainly not there";
  queues_->proxy().blackhole(false);
  queues_->proxy().cut();
  expect_to_work_again(*to);
}

TEST_F(RabbitmqFault, TheEndDoesNotHangOnABlackHole) {
  auto to = publisher();
  auto from = consumer(options_);
  queues_->proxy().blackhole(true);
  std::vector<Result<void>> results;
  TaskScope scope(executor_);
  const auto publish_one = [](QueuePublisher& publisher, std::vector<Result<void>>& into) -> Task<void> {
    std::vector<Mutation> one = {put("k", "v", 1)};
    Result<void> result = co_await publisher.publish(0, one, Deadline::none());
    into.push_back(std::move(result));
  };
  scope.spawn(publish_one(*to, results));
  const MonotonicTime begun = MonotonicClock::now();
  from.reset();
  to.reset();
  EXPECT_LT(MonotonicClock::now() - begun, 8s);
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(results.at(0).error().code, ErrorCode::outcome_unknown);
}

TEST_F(RabbitmqFault, ACutConsumerGetsItsDeliveriesAgainAndOldIdsDoNothing) {
  const auto to = publisher();
  const auto from = consumer(options_);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(publish(*to, std::to_string(i)).has_value());
  std::vector<Delivery> before;
  while (before.size() < 5) {
    for (Delivery& delivery : executor_.run(from->take(100, 1 << 20, soon()))) before.push_back(std::move(delivery));
  }
  const std::uint64_t losses = from->figures().link_losses;
  queues_->proxy().cut();
  ASSERT_TRUE(eventually([&] { return from->figures().link_losses > losses && from->health().ok; }));
  std::vector<std::uint64_t> old_ids;
  for (const Delivery& delivery : before) old_ids.push_back(delivery.id);
  from->acknowledge(old_ids);
  std::multiset<std::string> again;
  while (again.size() < 5) {
    const auto some = executor_.run(from->take(100, 1 << 20, within(10s)));
    ASSERT_FALSE(some.empty());
    for (const Delivery& delivery : some) again.insert(delivery.mutations.at(0).value.bytes);
  }
  EXPECT_EQ(again, (std::multiset<std::string>{"0", "1", "2", "3", "4"}));
  from->acknowledge(old_ids);
  from->release();
  EXPECT_EQ(drain().size(), 5U) << "the old ids acknowledged something";
}

TEST_F(RabbitmqFault, AConsumerUnderCutsSeesEverythingAtLeastOnce) {
  const auto to = make_rabbitmq_publisher(queues_->direct(), sink_).value();
  ASSERT_TRUE(eventually([&] { return to->health().ok; }));
  const auto from = consumer(options_);
  constexpr int count = 400;
  Sent sent;
  std::set<std::string> seen;
  TaskScope scope(executor_);
  for (int client = 0; client < 4; ++client)
    scope.spawn(publish_many(*to, std::to_string(client) + "-", count / 4, "", sent));
  int taken = 0;
  while (seen.size() < static_cast<std::size_t>(count)) {
    const auto some = executor_.run(from->take(20, 1 << 20, within(15s)));
    ASSERT_FALSE(some.empty()) << seen.size() << " seen; " << from->health().detail;
    std::vector<std::uint64_t> ids;
    for (const Delivery& delivery : some) {
      seen.insert(delivery.mutations.at(0).value.bytes);
      ids.push_back(delivery.id);
    }
    from->acknowledge(ids);
    if (++taken % 8 == 0) queues_->proxy().cut();
  }
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(sent.confirmed, seen);
}

TEST_F(RabbitmqFault, AStaleReplyAddressLeadsNowhere) {
  const auto to = publisher();
  const auto from = consumer(queues_->direct());
  Delivery delivery;
  ASSERT_TRUE(eventually([&] {
    if (!publish(*to, "x")) return false;
    auto some = executor_.run(from->take(100, 1 << 20, soon()));
    if (some.empty() || some.back().reply_to.empty()) return false;
    delivery = std::move(some.back());
    return true;
  }));
  queues_->proxy().cut();
  ASSERT_TRUE(eventually([&] { return sink_.lost() > 0; }));
  from->reply(delivery.reply_to, {reply_to(delivery)});
  // Behind the lost one on the same connection: when this is answered, that one has gone nowhere.
  const Mutation mutation = put("k", "v", 1);
  ASSERT_TRUE(executor_.run(from->set_aside(mutation, DeadReason::rejected, "", soon())).has_value());
  EXPECT_TRUE(sink_.replies().empty());
  EXPECT_TRUE(from->health().ok) << "a reply to nobody must not cost the connection: " << from->health().detail;
  expect_to_work_again(*to);
}

TEST_F(RabbitmqFault, AQueueThatIsDeletedAndMadeAgainIsConsumedAgain) {
  const auto from = consumer(options_);
  RawAmqp(queues_->direct()).delete_queue(queues_->direct().prefix + "1");
  ASSERT_TRUE(eventually([&] { return !from->health().ok; }));
  ASSERT_TRUE(eventually([&] { return from->health().detail.find("404") != std::string::npos; }))
      << from->health().detail;
  ASSERT_TRUE(declare_topology(queues_->direct()).has_value());
  ASSERT_TRUE(eventually([&] { return from->health().ok; })) << from->health().detail;
  const auto to = publisher();
  expect_to_work_again(*to);
  EXPECT_EQ(executor_.run(from->take(1, 1, soon())).size(), 1U);
}

TEST_F(RabbitmqFault, WhatComesBackTooOftenShowsInTheDeadLetters) {
  RabbitmqOptions strict = queues_->direct();
  strict.prefix += "strict.";
  strict.delivery_limit = 1;
  ASSERT_TRUE(declare_topology(strict).has_value());
  {
    const auto to = make_rabbitmq_publisher(strict, sink_).value();
    ASSERT_TRUE(eventually([&] { return to->health().ok; }));
    ASSERT_TRUE(publish(*to, "poison").has_value());
    const auto from = consumer(strict);
    for (int i = 0; i < 2; ++i) {
      ASSERT_EQ(executor_.run(from->take(1, 1, soon())).size(), 1U);
      from->release();
      from->resume();
    }
    const auto box = make_rabbitmq_dead_letters(strict).value();
    std::vector<DeadLetter> letters;
    ASSERT_TRUE(eventually([&] {
      letters = box->list(10).value();
      return !letters.empty();
    }));
    EXPECT_EQ(letters[0].reason, "delivery-limit");
    ASSERT_EQ(letters[0].mutations.size(), 1U);
    EXPECT_EQ(letters[0].mutations[0].value.bytes, "poison");
    ASSERT_TRUE(box->replay(1, {}).has_value());
    EXPECT_EQ(executor_.run(from->take(1, 1, soon())).size(), 1U);
  }
  EXPECT_TRUE(delete_topology(strict).has_value());
}

TEST_F(RabbitmqFault, TheTopologyIsCheckedAndDifferencesAreNamed) {
  EXPECT_TRUE(check_topology(queues_->direct()).has_value());
  EXPECT_TRUE(declare_topology(queues_->direct()).has_value()) << "again is no error";
  RabbitmqOptions more = queues_->direct();
  more.partitions = 3;
  const auto missing = check_topology(more);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::precondition);
  EXPECT_NE(missing.error().message.find(more.prefix + "2 does not exist; run `armazem migrate`"), std::string::npos)
      << missing.error().message;
  RabbitmqOptions other = queues_->direct();
  other.delivery_limit = 7;
  const auto differs = declare_topology(other);
  ASSERT_FALSE(differs.has_value());
  EXPECT_EQ(differs.error().code, ErrorCode::precondition);
  EXPECT_NE(differs.error().message.find(other.prefix + "0"), std::string::npos) << differs.error().message;
  EXPECT_NE(differs.error().message.find("x-delivery-limit"), std::string::npos) << differs.error().message;
  RabbitmqOptions nowhere = queues_->direct();
  nowhere.url = "amqp://127.0.0.1:1";
  EXPECT_EQ(check_topology(nowhere).error().code, ErrorCode::unavailable);
}

// docs/messages.md says which rights a server and a worker need.
TEST_F(RabbitmqFault, TheRightsOfTheDocumentAreEnough) {
  const char* const url = std::getenv("ARMAZEM_TEST_AMQP_APP");
  if (url == nullptr) GTEST_SKIP() << "ARMAZEM_TEST_AMQP_APP names no user with few rights";
  RabbitmqOptions by_admin = queues_->direct();
  by_admin.prefix = "store-events." + by_admin.prefix;
  ASSERT_TRUE(declare_topology(by_admin).has_value());
  RabbitmqOptions by_app = by_admin;
  by_app.url = url;
  {
    const auto checked = check_topology(by_app);
    EXPECT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_FALSE(delete_topology(by_app).has_value()) << "this user has more rights than it should";
    const auto to = make_rabbitmq_publisher(by_app, sink_).value();
    ASSERT_TRUE(eventually([&] { return to->health().ok; })) << to->health().detail;
    const auto from = consumer(by_app);
    ASSERT_TRUE(eventually([&] {
      if (!publish(*to, "x")) return false;
      const auto some = executor_.run(from->take(1, 1, soon()));
      if (some.at(0).reply_to.empty()) return false;
      from->reply(some.at(0).reply_to, {reply_to(some.at(0))});
      return true;
    }));
    EXPECT_TRUE(eventually([&] { return !sink_.replies().empty(); }));
    const Mutation mutation = put("k", "v", 1);
    EXPECT_TRUE(executor_.run(from->set_aside(mutation, DeadReason::rejected, "", soon())).has_value());
    const auto box = make_rabbitmq_dead_letters(by_app).value();
    EXPECT_TRUE(box->replay(1, {}).has_value());
  }
  EXPECT_TRUE(delete_topology(by_admin).has_value());
}

TEST_F(RabbitmqFault, AWrongPasswordIsSaidAndNotShown) {
  RabbitmqOptions wrong = options_;
  wrong.url = "amqp://nobody:secret@127.0.0.1:" + std::to_string(queues_->proxy().port()) + "/armazem";
  const auto refused = check_topology(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message.find("secret"), std::string::npos);
  EXPECT_NE(refused.error().message.find("ACCESS_REFUSED"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace armazem::test
