#include "service/enqueuer.h"

#include <algorithm>
#include <deque>
#include <list>

#include "core/partition.h"
#include "service/cluster_fixture.h"

namespace armazem::test {
namespace {

using Fate = QueuedWrite::Fate;
using Patience = Enqueuer::Patience;

// A broker under the test's thumb: every publish waits until the test ends it.
class HeldPublisher final : public QueuePublisher {
 public:
  struct Message {
    std::size_t partition = 0;
    std::vector<Mutation> mutations;
    Deadline deadline = Deadline::none();
    Executor* executor = nullptr;
    std::coroutine_handle<> waiting = nullptr;
    Result<void> result;
  };

  [[nodiscard]] std::size_t partitions() const noexcept override { return partition_count; }
  Task<Result<void>> publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) override {
    Message& message = messages.emplace_back();
    message.partition = partition;
    message.mutations.assign(mutations.begin(), mutations.end());
    message.deadline = deadline;
    if (!at_once) {
      const Wait wait{message};
      co_await wait;
    }
    co_return message.result;
  }
  [[nodiscard]] QueueHealth health() const override { return {true, "held"}; }

  void end(std::size_t number, Result<void> result = {}) {
    Message& message = messages.at(number);
    message.result = std::move(result);
    message.executor->post(std::exchange(message.waiting, {}));
  }
  // All that wait, and all to come.
  void confirm_all() {
    at_once = true;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (messages[i].waiting) end(i);
    }
  }

  std::size_t partition_count = 1;
  bool at_once = false;
  std::deque<Message> messages;

 private:
  struct Wait {
    Message& message;
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> handle) const {
      message.executor = &handle.promise().executor();
      message.waiting = handle;
    }
    void await_resume() const noexcept {}
  };
};

std::vector<std::string> keys_of(const HeldPublisher::Message& message) {
  std::vector<std::string> keys;
  for (const Mutation& mutation : message.mutations) keys.push_back(mutation.key.text());
  return keys;
}

class EnqueuerTest : public ClusterTest {
 protected:
  struct Write {
    Mutation mutation;
    std::optional<QueuedWrite> ended{};
    int ends = 0;
    [[nodiscard]] bool waits() const { return !ended.has_value(); }
    [[nodiscard]] Fate fate() const { return ended.value().fate; }
  };

  ~EnqueuerTest() override {
    if (!queue_) return;
    broker_.confirm_all();
    executor_.run_ready();
    close();
    EXPECT_EQ(scope_.running(), 0U) << "a write was never answered";
    for (const Write& write : writes_) EXPECT_EQ(write.ends, 1);
    // A scope does not end with work in it; the finding above must not be lost by that.
    queue_->on_replies_lost();
    executor_.run_ready();
  }

  void start(EnqueuerOptions options = {}) {
    queue_ = std::make_unique<Enqueuer>(broker_, executor_, time_, options);
    executor_.run_ready();
  }
  void close() {
    executor_.run_beside([this] { queue_->close(); });
  }

  Write& submit(Mutation mutation, Patience patience) {
    Write& write = writes_.emplace_back(Write{std::move(mutation)});
    scope_.spawn(run(write, patience));
    executor_.run_ready();
    return write;
  }
  Write& submit(Mutation mutation) { return submit(std::move(mutation), patient(5'000)); }
  // Some write, of no interest by itself.
  Write& submit() { return submit(put("k", "v", ++stamps_ + 100'000)); }

  [[nodiscard]] Patience patient(int ms) const { return {time_.now() + milliseconds(ms), false}; }
  [[nodiscard]] Patience named(int ms) const { return {time_.now() + milliseconds(ms), true}; }
  static Patience async() { return {MonotonicTime::min(), false}; }

  void end(std::size_t message, Result<void> result = {}) {
    broker_.end(message, std::move(result));
    executor_.run_ready();
  }
  void reply(const Write& write, Outcome outcome) {
    const Reply one{write.mutation.version, outcome};
    queue_->on_replies({&one, 1});
    executor_.run_ready();
  }
  void reply(const Write& write) { reply(write, applied_at(write.mutation.version)); }
  void pass(int ms) {
    executor_.pass(milliseconds(ms));
    queue_->expire(time_.now());
    executor_.run_ready();
  }
  void lose_replies() {
    queue_->on_replies_lost();
    executor_.run_ready();
  }
  [[nodiscard]] std::size_t messages() const { return broker_.messages.size(); }
  Task<void> run(Write& write, Patience patience) {
    QueuedWrite ended = co_await queue_->submit(write.mutation, patience);
    write.ended = ended;
    ++write.ends;
  }

  HeldPublisher broker_;
  std::unique_ptr<Enqueuer> queue_;
  TaskScope scope_{executor_};
  std::list<Write> writes_;
  std::uint64_t stamps_ = 0;
};

const Result<void> maybe_sent = fail(ErrorCode::outcome_unknown, "connection lost");
const Result<void> not_sent = fail(ErrorCode::unavailable, "not connected");

// Gathering -------------------------------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, ASingleMutationIsSentAtOnce) {
  start();
  const Write& write = submit(put("k", "v", 1));
  ASSERT_EQ(messages(), 1U);
  EXPECT_EQ(broker_.messages[0].mutations.size(), 1U);
  EXPECT_EQ(broker_.messages[0].mutations[0].version, write.mutation.version);
  EXPECT_EQ(broker_.messages[0].mutations[0].value.bytes, "v");
  EXPECT_EQ(broker_.messages[0].deadline.time(), time_.now() + EnqueuerOptions{}.confirm_timeout);
  EXPECT_TRUE(write.waits());
}

TEST_F(EnqueuerTest, MutationsGatherWhileAsManyMessagesAsAllowedAreOnTheirWay) {
  start({.messages_in_flight_max = 2});
  submit(put("a", "v", 1));
  submit(put("b", "v", 2));
  submit(put("c", "v", 3));
  submit(put("d", "v", 4));
  EXPECT_EQ(messages(), 2U);
  EXPECT_EQ(queue_->figures().gathering, 2U);
  end(1);
  ASSERT_EQ(messages(), 3U);
  EXPECT_EQ(keys_of(broker_.messages[2]), (Order{"c", "d"}));
  EXPECT_EQ(queue_->figures().gathering, 0U);
  EXPECT_EQ(queue_->figures().messages, 3U);
  EXPECT_EQ(queue_->figures().mutations, 4U);
}

TEST_F(EnqueuerTest, AMessageHoldsSoManyMutations) {
  start({.message_mutations_max = 2, .messages_in_flight_max = 1});
  for (const char* name : {"first", "a", "b", "c", "d", "e"}) submit(put(name, "v", ++stamps_));
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(messages(), i + 1);
    end(i);
  }
  ASSERT_EQ(messages(), 4U);
  EXPECT_EQ(keys_of(broker_.messages[1]), (Order{"a", "b"}));
  EXPECT_EQ(keys_of(broker_.messages[2]), (Order{"c", "d"}));
  EXPECT_EQ(keys_of(broker_.messages[3]), (Order{"e"}));
}

TEST_F(EnqueuerTest, AMessageHoldsSoManyBytesAndALargeMutationTravelsAlone) {
  const std::string large(1'000, 'x');
  const std::size_t small_bytes = put("a", "v", 1).size_bytes();
  start({.message_bytes_max = 2 * small_bytes, .messages_in_flight_max = 1});
  for (const char* name : {"0", "a", "b", "c"}) submit(put(name, "v", ++stamps_));
  submit(put("L", large, ++stamps_));
  submit(put("d", "v", ++stamps_));
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(messages(), i + 1);
    end(i);
  }
  EXPECT_EQ(keys_of(broker_.messages[1]), (Order{"a", "b"}));
  EXPECT_EQ(keys_of(broker_.messages[2]), (Order{"c"}));
  EXPECT_EQ(keys_of(broker_.messages[3]), (Order{"L"}));
  EXPECT_EQ(keys_of(broker_.messages[4]), (Order{"d"}));
}

TEST_F(EnqueuerTest, EachPartitionHasItsOwnMessages) {
  broker_.partition_count = 3;
  start({.messages_in_flight_max = 1});
  std::vector<std::string> names;
  for (std::size_t partition = 0; partition < 3; ++partition) {
    for (int i = 0; names.size() <= partition; ++i) {
      const std::string name = "key" + std::to_string(i);
      if (partition_of(name, 3) == partition) names.push_back(name);
    }
  }
  for (const std::string& name : names) submit(put(name, "v", ++stamps_));
  ASSERT_EQ(messages(), 3U) << "a partition does not wait for another one";
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(broker_.messages[i].partition, i);
    EXPECT_EQ(keys_of(broker_.messages[i]), (Order{names[i]}));
  }
  // One that fails is nothing to the others.
  end(1, not_sent);
  EXPECT_EQ(submit(put(names[1], "v", ++stamps_)).fate(), Fate::not_queued);
  EXPECT_TRUE(submit(put(names[2], "v", ++stamps_)).waits());
}

// How a write ends ------------------------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, TheReplyAfterTheConfirmDecides) {
  start();
  const Write& write = submit();
  end(0);
  EXPECT_TRUE(write.waits());
  EXPECT_EQ(queue_->figures().waiting_for_reply, 1U);
  const Outcome outcome = applied_at(write.mutation.version, Effect::replaced);
  reply(write, outcome);
  ASSERT_EQ(write.fate(), Fate::decided);
  EXPECT_EQ(write.ended->outcome, outcome);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
  EXPECT_EQ(queue_->figures().replies, 1U);
  EXPECT_EQ(queue_->figures().replies_unclaimed, 0U);
}

TEST_F(EnqueuerTest, AReplyMayOvertakeTheConfirm) {
  start();
  const Write& write = submit();
  reply(write);
  ASSERT_EQ(write.fate(), Fate::decided);
  end(0);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
}

TEST_F(EnqueuerTest, AReplyMayOvertakeAFailure) {
  start();
  const Write& write = submit();
  reply(write);
  end(0, maybe_sent);
  EXPECT_EQ(write.fate(), Fate::decided);
}

TEST_F(EnqueuerTest, RepliesFindTheirOwnWaiters) {
  start();
  const Write& a = submit(put("a", "v", 1));
  const Write& b = submit(put("b", "v", 2));
  end(0);
  end(1);
  const std::vector<Reply> replies{{b.mutation.version, {Verdict::superseded, {}, {}, version(9, 9), false}},
                                   {version(5, 5), applied_at(version(5, 5))},
                                   {a.mutation.version, applied_at(a.mutation.version)}};
  queue_->on_replies(replies);
  executor_.run_ready();
  EXPECT_EQ(a.ended->outcome.verdict, Verdict::applied);
  EXPECT_EQ(b.ended->outcome.verdict, Verdict::superseded);
  EXPECT_EQ(queue_->figures().replies, 3U);
  EXPECT_EQ(queue_->figures().replies_unclaimed, 1U);
}

TEST_F(EnqueuerTest, ASecondReplyFindsNobody) {
  start();
  const Write& write = submit();
  end(0);
  reply(write);
  reply(write);
  EXPECT_EQ(queue_->figures().replies_unclaimed, 1U);
}

TEST_F(EnqueuerTest, WhenPatienceEndsAConfirmedWriteIsConfirmed) {
  start({.workers_silent_after = milliseconds(60'000)});
  const Write& write = submit(put("k", "v", 1), patient(1'000));
  end(0);
  pass(999);
  EXPECT_TRUE(write.waits());
  pass(1);
  EXPECT_EQ(write.fate(), Fate::confirmed);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
  reply(write);
  EXPECT_EQ(queue_->figures().replies_unclaimed, 1U);
}

TEST_F(EnqueuerTest, WithoutPatienceTheConfirmIsAwaitedAndNoMore) {
  start();
  const Write& write = submit(put("k", "v", 1), async());
  pass(100);
  EXPECT_TRUE(write.waits()) << "a write is never accepted before it is durable in the queue";
  end(0);
  EXPECT_EQ(write.fate(), Fate::confirmed);
}

TEST_F(EnqueuerTest, PatienceThatEndedBeforeTheConfirmEndsWithIt) {
  start();
  const Write& write = submit(put("k", "v", 1), patient(50));
  pass(100);
  EXPECT_TRUE(write.waits());
  end(0);
  EXPECT_EQ(write.fate(), Fate::confirmed);
}

TEST_F(EnqueuerTest, WhatMayBeInTheQueueIsToldFromWhatIsNot) {
  const std::vector<std::pair<ErrorCode, Fate>> fates{{ErrorCode::outcome_unknown, Fate::maybe},
                                                      {ErrorCode::unavailable, Fate::not_queued},
                                                      {ErrorCode::overloaded, Fate::not_queued},
                                                      {ErrorCode::deadline_exceeded, Fate::not_queued}};
  start({.probe_interval = milliseconds(1)});
  for (std::size_t i = 0; i < fates.size(); ++i) {
    pass(1);
    const Write& write = submit();
    end(i, fail(fates[i].first, "why"));
    EXPECT_EQ(write.fate(), fates[i].second) << to_string(fates[i].first);
  }
  EXPECT_EQ(queue_->figures().unconfirmed, fates.size());
}

// Replies that are lost -------------------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, LostRepliesEndWhatIsConfirmedAndNothingElse) {
  start({.messages_in_flight_max = 2});
  const Write& confirmed = submit();
  end(0);
  const Write& sending = submit();
  submit();
  const Write& gathering = submit();
  lose_replies();
  EXPECT_EQ(confirmed.fate(), Fate::reply_lost);
  EXPECT_TRUE(sending.waits()) << "nobody knows yet that the queue has it";
  EXPECT_TRUE(gathering.waits());
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
}

// It was published under the address that is gone.
TEST_F(EnqueuerTest, WhatWasOnItsWayWhenRepliesWereLostDoesNotWaitForOne) {
  start({.messages_in_flight_max = 1});
  const Write& sending = submit();
  const Write& gathering = submit();
  lose_replies();
  end(0);
  EXPECT_EQ(sending.fate(), Fate::reply_lost);
  end(1);
  EXPECT_TRUE(gathering.waits()) << "published under the new address";
  reply(gathering);
  EXPECT_EQ(gathering.fate(), Fate::decided);
}

TEST_F(EnqueuerTest, WhatWasOnItsWayWhenRepliesWereLostMayStillFail) {
  start();
  const Write& first = submit();
  const Write& second = submit();
  lose_replies();
  end(0, maybe_sent);
  EXPECT_EQ(first.fate(), Fate::maybe);
  reply(second);  // by an address that was not gone after all
  EXPECT_EQ(second.fate(), Fate::decided);
}

TEST_F(EnqueuerTest, ALaterMessageThatIsDecidedTellsThatAWorkerHangs) {
  start({.messages_in_flight_max = 3});
  const Write& stuck = submit();
  const Write& later = submit();
  const Write& unconfirmed = submit();
  end(0);
  end(1);
  reply(later);
  pass(400);
  EXPECT_TRUE(stuck.waits());
  pass(200);
  EXPECT_EQ(stuck.fate(), Fate::reply_lost);
  EXPECT_EQ(queue_->figures().overtaken, 1U);
  EXPECT_TRUE(unconfirmed.waits());
}

TEST_F(EnqueuerTest, ABacklogIsWaitedFor) {
  start({.messages_in_flight_max = 2});
  const Write& earlier = submit();
  const Write& later = submit();
  end(0);
  end(1);
  reply(earlier);
  pass(600);
  EXPECT_TRUE(later.waits()) << "nothing behind it has been decided";
}

TEST_F(EnqueuerTest, AMessageIsOnItsWayUntilItsRepliesHaveCome) {
  start({.messages_in_flight_max = 1, .replies_awaited = milliseconds(100)});
  const Write& first = submit();
  end(0);
  submit();
  EXPECT_EQ(messages(), 1U) << "the first is confirmed, not decided";
  reply(first);
  EXPECT_EQ(messages(), 2U);
  end(1);
  submit();
  pass(50);
  EXPECT_EQ(messages(), 2U);
  pass(50);
  EXPECT_EQ(messages(), 3U) << "replies are not waited for without end";
}

// A queue that does not do its part -------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, WhatGatheredBehindAFailedMessageIsTurnedAwayAtOnce) {
  start({.messages_in_flight_max = 1});
  const Write& sent = submit();
  const Write& behind = submit();
  end(0, maybe_sent);
  EXPECT_EQ(sent.fate(), Fate::maybe);
  EXPECT_EQ(behind.fate(), Fate::not_queued);
  EXPECT_EQ(messages(), 1U);
  EXPECT_EQ(queue_->figures().turned_away, 1U);
  EXPECT_EQ(queue_->figures().gathering, 0U);
}

TEST_F(EnqueuerTest, AfterAFailureOneWriteInAWhileLooksWhetherTheQueueIsBack) {
  start({.probe_interval = milliseconds(500)});
  submit();
  end(0, not_sent);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  pass(499);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  pass(1);
  const Write& probe = submit();
  EXPECT_TRUE(probe.waits());
  EXPECT_EQ(submit().fate(), Fate::not_queued) << "one is enough";
  ASSERT_EQ(messages(), 2U);
  end(1, not_sent);
  pass(499);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  pass(1);
  submit();
  ASSERT_EQ(messages(), 3U);
  end(2);
  EXPECT_TRUE(submit().waits());
  EXPECT_TRUE(submit().waits()) << "the queue is back";
}

TEST_F(EnqueuerTest, ANewerConfirmMakesUpForAnOlderFailure) {
  start();
  submit();
  submit();
  end(0, maybe_sent);
  end(1);
  EXPECT_TRUE(submit().waits());
}

TEST_F(EnqueuerTest, ASilentPartitionTurnsWritesAway) {
  start({.messages_in_flight_max = 2, .silence_after = milliseconds(300), .probe_interval = milliseconds(500)});
  const Write& sent = submit();
  submit();
  const Write& gathering = submit();
  pass(300);
  EXPECT_TRUE(gathering.waits());
  pass(1);
  EXPECT_EQ(gathering.fate(), Fate::not_queued);
  EXPECT_TRUE(sent.waits()) << "it may be in the queue, so its own end is awaited";
  submit();  // the probe
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  end(0);
  EXPECT_EQ(submit().fate(), Fate::not_queued) << "the other message is as old";
  end(1);
  EXPECT_TRUE(submit().waits());
}

TEST_F(EnqueuerTest, ASilentPartitionIsProbed) {
  start({.messages_in_flight_max = 3, .silence_after = milliseconds(300), .probe_interval = milliseconds(500)});
  submit();
  pass(301);
  EXPECT_TRUE(submit().waits());
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  pass(499);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  pass(1);
  EXPECT_TRUE(submit().waits());
  EXPECT_EQ(messages(), 3U);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
}

TEST_F(EnqueuerTest, SilentWorkersKeepNobodyWaitingWhoDidNotAskForIt) {
  start({.workers_silent_after = milliseconds(1'000)});
  const Write& write = submit(put("a", "v", 1), patient(5'000));
  const Write& asked = submit(put("b", "v", 2), named(5'000));
  end(0);
  end(1);
  pass(1'000);
  EXPECT_TRUE(write.waits());
  pass(1);
  EXPECT_EQ(write.fate(), Fate::confirmed);
  EXPECT_TRUE(asked.waits());
  const Write& later = submit(put("c", "v", 3), patient(5'000));
  end(2);
  EXPECT_EQ(later.fate(), Fate::confirmed) << "at its confirm";
  const Write& asked_later = submit(put("d", "v", 4), named(5'000));
  end(3);
  EXPECT_TRUE(asked_later.waits());
  pass(4'000);
  EXPECT_EQ(asked.fate(), Fate::confirmed);
}

// Whoever finds out that workers are away waits a second; the next one must not have to find out again.
TEST_F(EnqueuerTest, WorkersStaySilentUntilTheyReply) {
  start({.workers_silent_after = milliseconds(1'000)});
  const Write& first = submit();
  end(0);
  pass(1'001);
  EXPECT_EQ(first.fate(), Fate::confirmed);
  const Write& second = submit();
  end(1);
  EXPECT_EQ(second.fate(), Fate::confirmed) << "nobody waits any more, and still no worker has replied";
  pass(60'000);
  const Write& third = submit();
  end(2);
  EXPECT_EQ(third.fate(), Fate::confirmed);
  reply(first);  // nobody claims it, but it shows that a worker is there
  const Write& fourth = submit();
  end(3);
  EXPECT_TRUE(fourth.waits());
  reply(fourth);
  EXPECT_EQ(fourth.fate(), Fate::decided);
}

TEST_F(EnqueuerTest, AnIdleTimeIsNotASilenceOfTheWorkers) {
  start({.workers_silent_after = milliseconds(1'000)});
  const Write& first = submit();
  end(0);
  reply(first);
  pass(3'600'000);
  const Write& second = submit();
  end(1);
  pass(500);
  EXPECT_TRUE(second.waits());
}

TEST_F(EnqueuerTest, RepliesToOthersShowThatWorkersAreThere) {
  start({.workers_silent_after = milliseconds(1'000), .overtaken_after = milliseconds(60'000)});
  const Write& slow = submit();
  end(0);
  for (std::size_t i = 1; i <= 4; ++i) {
    pass(900);
    const Write& other = submit();
    end(i);
    reply(other);
    EXPECT_TRUE(slow.waits());
  }
}

// Bounds ----------------------------------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, MoreMutationsThanMayGatherAreTurnedAway) {
  start({.messages_in_flight_max = 1, .pending_mutations_max = 2});
  submit();
  EXPECT_TRUE(submit().waits());
  EXPECT_TRUE(submit().waits());
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  EXPECT_EQ(queue_->figures().turned_away, 1U);
  end(0);
  EXPECT_TRUE(submit().waits()) << "there is room again";
}

TEST_F(EnqueuerTest, MoreBytesThanMayGatherAreTurnedAway) {
  const std::size_t bytes = put("k", "v", 1).size_bytes();
  start({.messages_in_flight_max = 1, .pending_bytes_max = 2 * bytes});
  submit();
  EXPECT_TRUE(submit().waits());
  EXPECT_TRUE(submit().waits());
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  end(0);
  EXPECT_TRUE(submit().waits());
  EXPECT_TRUE(submit().waits());
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  end(1, not_sent);
  pass(500);
  EXPECT_TRUE(submit().waits()) << "what was turned away takes no room";
}

TEST_F(EnqueuerTest, BoundsAreOverAllPartitions) {
  broker_.partition_count = 2;
  start({.messages_in_flight_max = 1, .pending_mutations_max = 2});
  for (int i = 0; i < 32; ++i) submit(put("key" + std::to_string(i), "v", ++stamps_));
  EXPECT_EQ(messages(), 2U);
  EXPECT_EQ(queue_->figures().gathering, 2U);
}

// The same version twice ------------------------------------------------------------------------------------------------
// Two requests with one Idempotency-Key that were both overtaken are stamped again alike: just above the same record.

TEST_F(EnqueuerTest, ATwinOfAWaitingWriteIsNotSentAndMayBeInTheQueue) {
  start();
  const Write& first = submit(put("k", "v", 1));
  const Write& twin = submit(put("k", "v", 1));
  EXPECT_EQ(twin.fate(), Fate::maybe) << "its copy is on the way to the queue";
  EXPECT_EQ(messages(), 1U);
  end(0);
  reply(first);
  EXPECT_EQ(first.fate(), Fate::decided);
}

TEST_F(EnqueuerTest, AConfirmIsOfItsOwnMessageOnly) {
  start({.messages_in_flight_max = 1});
  const Write& first = submit(put("k", "v", 1));
  reply(first);
  const Write& twin = submit(put("k", "v", 1), async());
  end(0);
  EXPECT_TRUE(twin.waits());
  ASSERT_EQ(messages(), 2U);
  end(1);
  EXPECT_EQ(twin.fate(), Fate::confirmed);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
}

TEST_F(EnqueuerTest, AFailureIsOfItsOwnMessageOnly) {
  start({.messages_in_flight_max = 2});
  const Write& first = submit(put("k", "v", 1));
  reply(first);
  const Write& twin = submit(put("k", "v", 1));
  ASSERT_EQ(messages(), 2U);
  end(0, not_sent);
  EXPECT_TRUE(twin.waits());
  end(1);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 1U);
  reply(twin);
  EXPECT_EQ(twin.fate(), Fate::decided);
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
}

TEST_F(EnqueuerTest, ASecondReplyMayDecideATwinThatStillGathers) {
  start({.messages_in_flight_max = 1});
  const Write& first = submit(put("k", "v", 1));
  reply(first);
  const Write& twin = submit(put("k", "v", 1));
  const Write& other = submit();
  reply(twin);  // the message was delivered twice, so it was answered twice
  EXPECT_EQ(twin.fate(), Fate::decided);
  EXPECT_EQ(queue_->figures().gathering, 1U);
  end(0);
  ASSERT_EQ(messages(), 2U);
  ASSERT_EQ(broker_.messages[1].mutations.size(), 1U);
  EXPECT_EQ(broker_.messages[1].mutations[0].version, other.mutation.version);
}

// The end ---------------------------------------------------------------------------------------------------------------

TEST_F(EnqueuerTest, CloseEndsEverything) {
  start({.messages_in_flight_max = 1});
  const Write& confirmed = submit();
  end(0);
  const Write& sending = submit();
  const Write& gathering = submit();
  broker_.confirm_all();
  close();
  EXPECT_EQ(messages(), 3U) << "what had gathered is sent";
  for (const Write* write : {&confirmed, &sending, &gathering}) {
    ASSERT_FALSE(write->waits());
    EXPECT_EQ(write->fate(), Fate::confirmed);
  }
  EXPECT_EQ(queue_->figures().waiting_for_reply, 0U);
  EXPECT_EQ(submit().fate(), Fate::not_queued);
  EXPECT_EQ(messages(), 3U);
  close();  // again is nothing
}

TEST_F(EnqueuerTest, CloseEndsWritesThatNamedTheirTimeToo) {
  start();
  const Write& write = submit(put("k", "v", 1), named(30'000));
  end(0);
  close();
  ASSERT_FALSE(write.waits());
  EXPECT_EQ(write.fate(), Fate::confirmed);
}

TEST_F(EnqueuerTest, CloseWithNothingToDoReturns) {
  start();
  close();
  EXPECT_EQ(submit().fate(), Fate::not_queued);
}

}  // namespace
}  // namespace armazem::test
