// The contract: what is confirmed is delivered, shared, and delivered again until it is acknowledged.
#include "contract/queue_contract.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;

TEST_P(QueueContract, WhatIsConfirmedIsDeliveredByteForByte) {
  const auto to = publisher();
  const auto from = consumer();
  std::vector<Mutation> sent = {expiring(put("key/ ç", std::string("\0\xFF\r\n", 4), 1, 77), 5), remove("gone", 2)};
  sent[0].value.form = ValueForm::bytes;
  sent[0].value.content_type = "image/png";
  ASSERT_TRUE(publish(*to, sent).has_value());
  const std::vector<Delivery> taken = take(*from, soon());
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_FALSE(taken[0].redelivered);
  ASSERT_EQ(taken[0].mutations.size(), 2U);
  EXPECT_TRUE(same(taken[0].mutations[0], sent[0]));
  EXPECT_TRUE(same(taken[0].mutations[1], sent[1]));
}

TEST_P(QueueContract, TheLargestMessagesTravel) {
  const auto to = publisher();
  const auto from = consumer();
  std::vector<Mutation> many;
  for (std::uint64_t i = 1; i <= limits::message_mutations_max; ++i)
    many.push_back(put("k", std::string(1000, 'v'), i));
  ASSERT_TRUE(publish(*to, many).has_value());
  const std::vector<Mutation> large = {put("large", std::string(limits::value_bytes_default, 'L'), 9000)};
  ASSERT_TRUE(publish(*to, large, 1).has_value());
  const std::vector<Delivery> taken = take_many(*from, 2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].mutations.size() + taken[1].mutations.size(), many.size() + 1);
  const Delivery& with_large = taken[0].mutations.size() == 1 ? taken[0] : taken[1];
  EXPECT_TRUE(same(with_large.mutations.front(), large.front()));
}

TEST_P(QueueContract, EveryPartitionIsConsumed) {
  const auto to = publisher();
  const auto from = consumer();
  ASSERT_EQ(to->partitions(), contract_partitions);
  for (std::size_t p = 0; p < contract_partitions; ++p) {
    ASSERT_TRUE(publish(*to, {put("k", std::to_string(p), 1 + p)}, p).has_value());
  }
  EXPECT_EQ(texts(take_many(*from, contract_partitions)), (std::vector<std::string>{"0", "1", "2"}));
}

Task<void> publish_each(QueuePublisher& to, std::string name, int count, int& failures) {
  for (int i = 0; i < count; ++i) {
    std::vector<Mutation> one = {put("k", name + std::to_string(i), 1)};
    const auto result = co_await to.publish(static_cast<std::size_t>(i) % contract_partitions, one, soon());
    failures += result ? 0 : 1;
  }
}

Task<void> consume_until(QueueConsumer& from, std::size_t count, std::vector<std::string>& seen, bool& doubled) {
  while (seen.size() < count) {
    const auto taken = co_await from.take(5, 1 << 20, within(200ms));
    std::vector<std::uint64_t> ids;
    for (const Delivery& delivery : taken) {
      doubled = doubled || delivery.redelivered;
      seen.push_back(delivery.mutations.front().value.bytes);
      ids.push_back(delivery.id);
    }
    from.acknowledge(ids);
  }
}

TEST_P(QueueContract, SeveralShareTheWorkWithoutDoublesInCalm) {
  constexpr int each = 60;
  RecordingSink other_sink;
  const auto a = publisher();
  const auto b = publisher(other_sink);
  std::vector<std::unique_ptr<QueueConsumer>> consumers;
  for (int i = 0; i < 3; ++i) consumers.push_back(consumer());
  int failures = 0;
  bool doubled = false;
  std::vector<std::string> seen;
  TaskScope scope(executor_);
  for (const auto& from : consumers) scope.spawn(consume_until(*from, 4 * each, seen, doubled));
  scope.spawn(publish_each(*a, "a", each, failures));
  scope.spawn(publish_each(*a, "b", each, failures));
  scope.spawn(publish_each(*b, "c", each, failures));
  scope.spawn(publish_each(*b, "d", each, failures));
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(failures, 0);
  EXPECT_FALSE(doubled);
  std::ranges::sort(seen);
  EXPECT_EQ(seen.size(), 4U * each);
  EXPECT_EQ(std::ranges::unique(seen).size(), 0U) << "delivered twice";
}

TEST_P(QueueContract, WhatIsNotAcknowledgedComesAgainAfterARelease) {
  const auto to = publisher();
  const auto from = consumer();
  publish_texts(*to, 1, 5);
  const std::vector<Delivery> first = take_many(*from, 4);
  ASSERT_EQ(first.size(), 4U);
  acknowledge(*from, {first[1], first[3]});
  from->release();
  EXPECT_FALSE(from->health().ok);
  EXPECT_TRUE(take(*from, within(50ms)).empty()) << "nothing comes between release and resume";
  from->resume();
  std::vector<Delivery> again = take_many(*from, 2);
  EXPECT_EQ(texts(again), texts({first[0], first[2]}));
  EXPECT_TRUE(again.front().redelivered);
  for (const Delivery& delivery : again) {
    for (const Delivery& before : first) EXPECT_NE(delivery.id, before.id) << "an id is never used twice";
  }
}

TEST_P(QueueContract, AnotherConsumerGetsWhatIsReleased) {
  const auto to = publisher();
  const auto from = consumer();
  publish_texts(*to, 1, 4);
  ASSERT_EQ(take_many(*from, 3).size(), 3U);
  const auto other = consumer();
  from->release();
  EXPECT_EQ(texts(take_many(*other, 3)), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(QueueContract, TheEndOfAConsumerGivesBackWhatItDidNotAcknowledge) {
  const auto to = publisher();
  publish_texts(*to, 1, 5);
  {
    const auto from = consumer();
    const std::vector<Delivery> taken = take_many(*from, 4);
    ASSERT_EQ(taken.size(), 4U);
    from->close();
    EXPECT_FALSE(from->health().ok);
    acknowledge(*from, {taken[0], taken[1], taken[2]});  // still possible after close
  }
  const auto next = consumer();
  const std::vector<Delivery> again = take_many(*next, 1);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(texts(again), std::vector<std::string>{"4"});
  EXPECT_TRUE(take(*next, within(200ms)).empty()) << "what was acknowledged is gone";
}

TEST_P(QueueContract, WhatACloseFindsUntakenGoesToOthers) {
  const auto to = publisher();
  const auto from = consumer();
  publish_texts(*to, 1, 4);
  from->close();
  const auto other = consumer();
  EXPECT_EQ(texts(take_many(*other, 3)), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(QueueContract, AnAcknowledgementOfWhatWasTakenBackDoesNothing) {
  const auto to = publisher();
  const auto from = consumer();
  publish_texts(*to, 1, 4);
  const std::vector<Delivery> before = take_many(*from, 3);
  ASSERT_EQ(before.size(), 3U);
  from->release();
  acknowledge(*from, before);
  from->resume();
  std::vector<Delivery> again = take_many(*from, 3);
  EXPECT_EQ(texts(again), (std::vector<std::string>{"1", "2", "3"}));
  acknowledge(*from, before);
  from->release();
  from->resume();
  again = take_many(*from, 3);
  EXPECT_EQ(texts(again), (std::vector<std::string>{"1", "2", "3"}));
  acknowledge(*from, again);
  from->acknowledge({});
  const std::vector<std::uint64_t> never_given = {1'000'000'000};
  from->acknowledge(never_given);
  EXPECT_TRUE(take(*from, within(100ms)).empty());
}

TEST_P(QueueContract, ATakeHasLimitsButAlwaysGetsOneMessage) {
  const auto to = publisher();
  const auto from = consumer();
  std::vector<Mutation> three = {put("k", "a", 1), put("k", "b", 2), put("k", "c", 3)};
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(publish(*to, three).has_value());
  // All have arrived when a take without limits could have them; it gives them back.
  ASSERT_EQ(take_many(*from, 4).size(), 4U);
  from->release();
  from->resume();
  std::size_t messages = 0;
  while (messages < 4) {
    const auto some = executor_.run(from->take(6, 1 << 20, soon()));
    ASSERT_FALSE(some.empty());
    EXPECT_LE(some.size(), 2U);
    messages += some.size();
  }
  from->release();
  from->resume();
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(executor_.run(from->take(1, 1 << 20, soon())).size(), 1U) << "three mutations, one asked";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(executor_.run(from->take(100, 1, soon())).size(), 1U) << "one byte asked";
}

TEST_P(QueueContract, DepthFollowsWhatWaits) {
  const auto to = publisher();
  const auto watching = consumer();
  watching->release();  // consumes nothing, still looks
  EXPECT_TRUE(eventually([&] { return watching->depth() == 0; }));
  for (std::uint64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(publish(*to, {put("k", "v", i + 1)}, i % contract_partitions).has_value());
  }
  EXPECT_TRUE(eventually([&] { return watching->depth() == 6; })) << watching->depth();
  watching->resume();
  const auto taken = take_many(*watching, 6);
  acknowledge(*watching, taken);
  EXPECT_TRUE(eventually([&] { return watching->depth() == 0; })) << watching->depth();
}

TEST_P(QueueContract, UndecodableBytesAreSetAsideAndStopNobody) {
  const auto to = publisher();
  const auto from = consumer();
  queue().inject(0, "these bytes are no message");
  publish_texts(*to, 1, 2);
  EXPECT_EQ(texts(take_many(*from, 1)), std::vector<std::string>{"1"});
  std::vector<DeadLetter> found;
  ASSERT_TRUE(eventually([&] {
    found = letters();
    return !found.empty();
  }));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reason, "undecodable");
  EXPECT_EQ(found[0].raw, "these bytes are no message");
  EXPECT_TRUE(found[0].mutations.empty());
  EXPECT_EQ(queue().dead_letters()->replay(1, {}).error().code, ErrorCode::precondition);
  EXPECT_TRUE(eventually([&] { return from->depth() == 0; }));
}

}  // namespace
}  // namespace armazem::test
