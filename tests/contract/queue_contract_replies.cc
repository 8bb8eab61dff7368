// The contract: replies find the publisher that waits, and dead letters wait for a person.
#include "contract/queue_contract.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;

TEST_P(QueueContract, RepliesReachTheirOwnPublisherOnly) {
  RecordingSink other_sink;
  const auto mine = publisher();
  const auto other = publisher(other_sink);
  const auto from = consumer();
  const Delivery for_me = delivery_with_address(*mine, *from, 1);
  const Delivery for_other = delivery_with_address(*other, *from, 2);
  ASSERT_NE(for_me.reply_to, for_other.reply_to);
  const std::vector<Reply> replies = {reply_to(for_me), reply_to(for_me)};
  from->reply(for_me.reply_to, replies);
  EXPECT_TRUE(eventually([&] { return sink_.replies().size() == 2; }));
  EXPECT_EQ(sink_.replies(), replies);
  from->reply(for_other.reply_to, {reply_to(for_other)});
  EXPECT_TRUE(eventually([&] { return other_sink.replies().size() == 1; }));
  EXPECT_EQ(other_sink.replies().front(), reply_to(for_other));
  EXPECT_EQ(sink_.replies().size(), 2U);
}

TEST_P(QueueContract, ManyRepliesInOneCallAllArrive) {
  const auto to = publisher();
  const auto from = consumer();
  const Delivery addressed = delivery_with_address(*to, *from, 1);
  const std::vector<Reply> many(10'000, reply_to(addressed));
  from->reply(addressed.reply_to, many);
  EXPECT_TRUE(eventually([&] { return sink_.replies().size() == many.size(); })) << sink_.replies().size();
}

TEST_P(QueueContract, RepliesToNobodyDoNoHarm) {
  const auto to = publisher();
  const auto from = consumer();
  from->reply("", {reply_to({1, {put("k", "v", 1)}, "", false})});
  from->reply("nobody-ever-had-this-address", {reply_to({1, {put("k", "v", 1)}, "", false})});
  const Delivery addressed = delivery_with_address(*to, *from, 1);
  from->reply(addressed.reply_to, {});
  from->reply(addressed.reply_to, {reply_to(addressed)});
  EXPECT_TRUE(eventually([&] { return sink_.replies().size() == 1; }));
}

TEST_P(QueueContract, ALostReplyAddressIsReportedAndAnotherTakesItsPlace) {
  const auto to = publisher();
  const auto from = consumer();
  const Delivery before = delivery_with_address(*to, *from, 1);
  const int lost = sink_.lost();
  queue().lose_reply_addresses();
  EXPECT_TRUE(eventually([&] { return sink_.lost() > lost; }));
  EXPECT_TRUE(eventually([&] { return to->health().ok && from->health().ok; }));
  const Delivery after = delivery_with_address(*to, *from, 2);
  EXPECT_NE(after.reply_to, before.reply_to);
  from->reply(before.reply_to, {reply_to(before)});
  from->reply(after.reply_to, {reply_to(after)});
  EXPECT_TRUE(eventually([&] { return !sink_.replies().empty(); }));
  EXPECT_EQ(sink_.replies(), std::vector<Reply>{reply_to(after)}) << "the stale address leads nowhere";
}

TEST_P(QueueContract, WhatIsSetAsideIsListedWithItsReason) {
  const auto from = consumer();
  const Mutation first = put("first", "value", 1);
  const Mutation second = remove("second", 2);
  ASSERT_TRUE(executor_.run(from->set_aside(first, DeadReason::too_old, "older than 24 h", soon())).has_value());
  ASSERT_TRUE(executor_.run(from->set_aside(second, DeadReason::rejected, "", soon())).has_value());
  for (int look = 0; look < 3; ++look) {  // looking takes nothing away and changes no order
    const std::vector<DeadLetter> found = letters();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].number, 1U);
    EXPECT_EQ(found[0].reason, "too-old");
    EXPECT_EQ(found[0].detail, "older than 24 h");
    EXPECT_GT(found[0].set_aside_at_ms, 1'600'000'000'000U);
    ASSERT_EQ(found[0].mutations.size(), 1U);
    EXPECT_TRUE(same(found[0].mutations[0], first));
    EXPECT_EQ(found[1].number, 2U);
    EXPECT_EQ(found[1].reason, "rejected");
    EXPECT_TRUE(same(found[1].mutations.at(0), second));
  }
  EXPECT_EQ(letters(1).size(), 1U);
  EXPECT_EQ(letters(0).size(), 0U);
}

TEST_P(QueueContract, AReplayedLetterIsDeliveredAndGone) {
  const auto from = consumer();
  const Mutation mutation = put("k", "value", 1, 77);
  ASSERT_TRUE(executor_.run(from->set_aside(put("other", "stays", 1), DeadReason::rejected, "", soon())).has_value());
  ASSERT_TRUE(executor_.run(from->set_aside(mutation, DeadReason::rejected, "", soon())).has_value());
  const auto replayed = queue().dead_letters()->replay(2, std::nullopt);
  ASSERT_TRUE(replayed.has_value()) << replayed.error().message;
  std::vector<Delivery> taken = take_many(*from, 1);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_TRUE(same(taken[0].mutations.at(0), mutation));
  EXPECT_EQ(taken[0].reply_to, "") << "nobody waits any more";
  acknowledge(*from, taken);
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters()[0].mutations.at(0).key.text(), "other");
}

TEST_P(QueueContract, AReplayMayStampAnewAndKeepsTheOperation) {
  const auto from = consumer();
  ASSERT_TRUE(executor_.run(from->set_aside(put("k", "value", 1, 77), DeadReason::too_old, "", soon())).has_value());
  ASSERT_TRUE(queue().dead_letters()->replay(1, version(5000, 1)).has_value());
  const std::vector<Delivery> taken = take_many(*from, 1);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].mutations.at(0).version, version(5000, 77));
}

TEST_P(QueueContract, ALetterIsDroppedAndOnlyThatOne) {
  const auto from = consumer();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(executor_.run(from->set_aside(put("k", std::to_string(i), i), DeadReason::rejected, "", soon())));
  }
  const auto box = queue().dead_letters();
  ASSERT_TRUE(box->drop(2).has_value());
  const std::vector<DeadLetter> left = letters();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].mutations.at(0).value.bytes, "1");
  EXPECT_EQ(left[1].mutations.at(0).value.bytes, "3");
  for (const std::uint64_t number : {0U, 3U}) {
    EXPECT_EQ(box->drop(number).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(box->replay(number, {}).error().code, ErrorCode::invalid_argument);
  }
  EXPECT_TRUE(take(*from, within(100ms)).empty()) << "nothing was delivered";
}

}  // namespace
}  // namespace armazem::test
