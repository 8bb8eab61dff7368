// Writes through the queue, with the worker's part played by the test.
#include <deque>

#include "service/cluster_fixture.h"

namespace armazem::test {
namespace {

using Kind = WriteAnswer::Kind;

const Error no_store{ErrorCode::unavailable, "the store is away"};
const Error no_queue{ErrorCode::unavailable, "the queue is away"};

class WriterQueueTest : public ClusterTest {
 protected:
  struct Write {
    std::optional<WriteResult> ended{};
    [[nodiscard]] bool waits() const { return !ended.has_value(); }
    [[nodiscard]] const WriteAnswer& answer() const { return ended.value().answer.value(); }
    [[nodiscard]] const Error& error() const { return ended.value().answer.error(); }
  };

  ~WriterQueueTest() override {
    broker_.release_confirms();
    executor_.run_ready();
    executor_.run_beside([this] { server_.enqueuer.close(); });
    EXPECT_EQ(scope_.running(), 0U) << "a write was never answered";
  }

  Write& write(WriteRequest request) {
    Write& write = writes_.emplace_back();
    scope_.spawn(run(write, std::move(request)));
    executor_.run_ready();
    return write;
  }
  Task<void> run(Write& write, WriteRequest request) {
    WriteResult result = co_await server_.writer.write(std::move(request));
    write.ended.emplace(std::move(result));
  }

  // What has arrived at the workers: one mutation a message here.
  std::vector<Delivery> deliveries() { return executor_.run(consumer_->take(100, 1 << 20, Deadline::at(time_.now()))); }
  Delivery delivery() {
    auto all = deliveries();
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Delivery{0, {put("none", "", 1)}, "", false} : all.front();
  }
  void answer(const Delivery& delivery, Outcome outcome) {
    consumer_->reply(delivery.reply_to, {{delivery.mutations.front().version, outcome}});
    consumer_->acknowledge({&delivery.id, 1});
    executor_.run_ready();
  }
  // As a worker does it.
  Outcome apply(const Delivery& delivery) {
    auto outcomes = memory_.apply(delivery.mutations, {}, in_time()).take_ready().value();
    answer(delivery, outcomes.front());
    return outcomes.front();
  }
  void pass(int ms) {
    executor_.pass(milliseconds(ms));
    broker_.expire(time_.now());
    server_.expire(time_.now());
    executor_.run_ready();
  }
  void lose_reply_addresses() {
    broker_.lose_reply_addresses();
    executor_.run_ready();
  }

  MemoryQueue broker_{{}, time_};
  TestServer server_{store_, nullptr, broker_, executor_, time_};
  std::unique_ptr<QueueConsumer> consumer_ = broker_.connect_consumer();
  TaskScope scope_{executor_};
  std::deque<Write> writes_;
};

WriteRequest async(WriteRequest request) {
  request.respond_async = true;
  return request;
}
WriteRequest waiting(WriteRequest request, int seconds) {
  request.wait = std::chrono::seconds(seconds);
  return request;
}

// Decided by the queue --------------------------------------------------------------------------------------------------

TEST_F(WriterQueueTest, AWriteIsDecidedByTheReply) {
  const Write& write = this->write(put_request("k", "v"));
  const Delivery sent = delivery();
  EXPECT_TRUE(write.waits());
  apply(sent);
  EXPECT_EQ(write.answer().kind, Kind::created);
  EXPECT_EQ(write.answer().version, sent.mutations.front().version);
  EXPECT_EQ(write.ended->operation, write.answer().version);
  EXPECT_EQ(store_.applies, 0U) << "the server itself does not touch the store";
  EXPECT_EQ(stored_bytes("k"), "v");
}

TEST_F(WriterQueueTest, EveryVerdictOfAReplyHasItsAnswer) {
  const Version at = version(1, 1);
  const Write& replayed = write(put_request("k", "v"));
  answer(delivery(), {Verdict::applied, Effect::replaced, at, version(9, 9), true});
  EXPECT_EQ(replayed.answer().kind, Kind::replaced);
  EXPECT_EQ(replayed.answer().version, at);
  EXPECT_TRUE(replayed.answer().replayed);
  const Write& refused = write(put_request("k", "v"));
  answer(delivery(), {Verdict::refused, {}, {}, {}, false});
  EXPECT_EQ(refused.error().code, ErrorCode::internal);
  EXPECT_FALSE(refused.error().retryable());
  const Write& too_old = write(put_request("k", "v"));
  answer(delivery(), {Verdict::too_old, {}, {}, {}, false});
  EXPECT_EQ(too_old.error().code, ErrorCode::outcome_unknown);
}

TEST_F(WriterQueueTest, ASupersededReplyIsStampedAgainUnderTheSameOpId) {
  given({put("k", "from a fast clock", 400)});
  const Write& write = this->write(put_request("k", "mine"));
  const Delivery first = delivery();
  EXPECT_EQ(apply(first).verdict, Verdict::superseded);
  EXPECT_TRUE(write.waits());
  const Delivery second = delivery();
  const Version stamped = second.mutations.front().version;
  EXPECT_EQ(stamped, HybridClock::stamp_above(version(400, 400), first.mutations.front().version.op()));
  apply(second);
  EXPECT_EQ(write.answer().kind, Kind::replaced);
  EXPECT_EQ(write.ended->operation, stamped) << "the operation is named by its last stamp";
  EXPECT_EQ(stored_bytes("k"), "mine");
}

TEST_F(WriterQueueTest, ASupersededWriteIsSentFourTimesAtMost) {
  const Write& write = this->write(put_request("k", "v"));
  Version last;
  for (int sent = 0; sent < 1 + limits::restamps_max; ++sent) {
    ASSERT_TRUE(write.waits());
    const Delivery one = delivery();
    last = one.mutations.front().version;
    answer(one, {Verdict::superseded, {}, {}, version(400 + static_cast<std::uint64_t>(sent), 9), false});
  }
  EXPECT_EQ(write.error().code, ErrorCode::overloaded);
  EXPECT_EQ(write.ended->operation, last);
  EXPECT_TRUE(deliveries().empty());
}

// Another copy of the message may have been applied, and overtaken since.
TEST_F(WriterQueueTest, WhatTheQueueCannotDecideIsNeverStampedAgain) {
  const Write& write = this->write(put_request("k", "v"));
  answer(delivery(), {Verdict::indeterminate, {}, {}, version(9'000'000, 9), false});
  EXPECT_EQ(write.error().code, ErrorCode::outcome_unknown);
  EXPECT_TRUE(deliveries().empty());
  EXPECT_EQ(store_.applies, 0U);
}

TEST_F(WriterQueueTest, NorIsWhatWasOnceInTheQueueAndIsThenUndecidedByTheStore) {
  broker_.lose_confirms(1);
  store_.before = [](const auto&) -> std::optional<StoreWrapper::Outcomes> {
    return std::vector<Outcome>{{Verdict::indeterminate, {}, {}, version(9'000'000, 9), false}};
  };
  EXPECT_EQ(write(put_request("k", "v")).error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(store_.applies, 1U);
}

TEST_F(WriterQueueTest, ASupersededStampMovesTheClock) {
  given({put("k", "v", 100)});  // a little ahead of this server's clock
  time_.set_wall_ms(epoch_ms);
  write(put_request("k", "mine"));
  apply(delivery());
  apply(delivery());
  write(put_request("k", "again"));
  const Delivery next = delivery();
  EXPECT_GT(next.mutations.front().version, version(100, 100)) << "no second round trip";
  EXPECT_EQ(apply(next).verdict, Verdict::applied);
}

// A clock that is far behind would find every stamp overtaken, and on a hot key no history reaches back to it.
TEST_F(WriterQueueTest, AKeyThatIsFarAheadGoesDirectlyForAWhile) {
  given({put("k", "from a fast clock", 5'000'000)});
  const Write& write = this->write(put_request("k", "mine"));
  EXPECT_EQ(apply(delivery()).verdict, Verdict::superseded);
  EXPECT_EQ(write.answer().kind, Kind::replaced) << "the new stamp is not sent by the queue";
  for (std::uint64_t i = 1; i < 12; ++i) given({put("k", "of others", 5'000'000 + 20'000 * i)});
  EXPECT_EQ(this->write(put_request("k", "again")).answer().kind, Kind::replaced);
  EXPECT_EQ(stored_bytes("k"), "again");
  EXPECT_EQ(broker_.depth(), 0U);
  EXPECT_TRUE(this->write(put_request("other", "v")).waits()) << "other keys are queued";
  apply(delivery());
  pass(60'001);
  EXPECT_TRUE(this->write(put_request("k", "v")).waits());
  apply(delivery());
}

TEST_F(WriterQueueTest, AWriteThatNoHistoryReachesBackToIsUnknownOnceAndThenDirect) {
  for (std::uint64_t i = 0; i < 12; ++i) given({put("k", "of others", 5'000'000 + 20'000 * i)});
  const Write& first = write(put_request("k", "mine"));
  EXPECT_EQ(apply(delivery()).verdict, Verdict::indeterminate);
  EXPECT_EQ(first.error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(write(put_request("k", "mine")).answer().kind, Kind::replaced);
}

// Not decided in time ---------------------------------------------------------------------------------------------------

TEST_F(WriterQueueTest, WhatIsDurableButNotDecidedIsAccepted) {
  const Write& write = this->write(waiting(put_request("k", "v"), 2));
  pass(1'999);
  EXPECT_TRUE(write.waits());
  pass(1);
  EXPECT_EQ(write.answer().kind, Kind::accepted);
  EXPECT_EQ(write.ended->operation, delivery().mutations.front().version);
  EXPECT_EQ(store_.applies, 0U);
}

TEST_F(WriterQueueTest, RespondAsyncDoesNotWaitForTheDecision) {
  const Write& write = this->write(async(put_request("k", "v")));
  EXPECT_EQ(write.answer().kind, Kind::accepted);
  broker_.hold_confirms();
  const Write& unconfirmed = this->write(async(put_request("k", "w")));
  EXPECT_TRUE(unconfirmed.waits()) << "never accepted before it is durable";
  broker_.release_confirms();
  executor_.run_ready();
  EXPECT_EQ(unconfirmed.answer().kind, Kind::accepted);
}

// 'Prefer: wait=2' is the client's, however often the write is stamped again.
TEST_F(WriterQueueTest, TheWaitIsOneForAllStamps) {
  const Write& write = this->write(waiting(put_request("k", "v"), 2));
  pass(1'500);
  answer(delivery(), {Verdict::superseded, {}, {}, version(1'900, 9), false});
  const Delivery second = delivery();
  pass(499);
  EXPECT_TRUE(write.waits());
  pass(1);
  EXPECT_EQ(write.answer().kind, Kind::accepted);
  EXPECT_EQ(write.ended->operation, second.mutations.front().version);
}

// The queue does not do its part ----------------------------------------------------------------------------------------

TEST_F(WriterQueueTest, WithTheQueueAwayTheWriteGoesDirectlyAtOnce) {
  broker_.refuse_publishes(1, no_queue);
  const MonotonicTime begun = time_.now();
  const Write& write = this->write(put_request("k", "v"));
  EXPECT_EQ(write.answer().kind, Kind::created);
  EXPECT_EQ(time_.now(), begun);
  EXPECT_EQ(stored("k")->version, write.ended->operation);
  EXPECT_EQ(this->write(put_request("k", "w")).answer().kind, Kind::replaced)
      << "and the next without trying the queue";
  EXPECT_EQ(broker_.depth(), 0U);
}

TEST_F(WriterQueueTest, AQueueThatDoesNotConfirmCostsItsTimeoutAndNoMore) {
  broker_.hold_confirms();
  const Write& write = this->write(put_request("k", "v"));
  pass(1'999);
  EXPECT_TRUE(write.waits());
  pass(1);
  EXPECT_EQ(write.answer().kind, Kind::created);
}

TEST_F(WriterQueueTest, WhatMayBeInTheQueueIsDecidedDirectlyAndTheCopyIsAlreadyApplied) {
  broker_.lose_confirms(1);
  const Write& write = this->write(put_request("k", "v"));
  EXPECT_EQ(write.answer().kind, Kind::created);
  const auto before = stored("k");
  const Outcome late = apply(delivery());
  EXPECT_TRUE(late.replayed);
  EXPECT_EQ(late.effect, Effect::created) << "answered as the first time";
  EXPECT_EQ(*stored("k"), *before);
}

TEST_F(WriterQueueTest, MaybeInTheQueueAndNotInTheStoreIsUnknown) {
  broker_.lose_confirms(1);
  faulty_.fail_next(1, no_store);
  const Write& write = this->write(put_request("k", "v"));
  EXPECT_EQ(write.error().code, ErrorCode::outcome_unknown);
  EXPECT_NE(write.error().message.find(no_store.message), std::string::npos);
  EXPECT_EQ(write.ended->operation, delivery().mutations.front().version);
}

TEST_F(WriterQueueTest, NeitherInTheQueueNorInTheStoreIsNoEffect) {
  broker_.refuse_publishes(1, no_queue);
  faulty_.fail_next(1, no_store);
  const Write& write = this->write(put_request("k", "v"));
  EXPECT_EQ(write.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(write.error().retryable());
  EXPECT_EQ(broker_.depth(), 0U);
}

TEST_F(WriterQueueTest, AWriteWhoseReplyIsLostIsDecidedDirectly) {
  const Write& write = this->write(put_request("k", "v"));
  const Delivery sent = delivery();
  ASSERT_TRUE(memory_.apply(sent.mutations, {}, in_time()).take_ready().has_value());
  lose_reply_addresses();
  EXPECT_EQ(write.answer().kind, Kind::created);
  EXPECT_TRUE(write.answer().replayed) << "the worker had applied it";
}

TEST_F(WriterQueueTest, AWriteWhoseReplyIsLostIsAcceptedWhenTheStoreCannotSay) {
  const Write& write = this->write(put_request("k", "v"));
  faulty_.fail_next(1, no_store);
  lose_reply_addresses();
  EXPECT_EQ(write.answer().kind, Kind::accepted) << "it is durable in the queue";
  EXPECT_EQ(apply(delivery()).verdict, Verdict::applied);
}

TEST_F(WriterQueueTest, ADirectWriteThatWasOvertakenGoesTheQueuesRoadWhenItIsBack) {
  given({put("k", "newer", 5'000'000)});
  broker_.lose_confirms(1);
  const Write& write = this->write(put_request("k", "mine"));
  EXPECT_EQ(write.answer().kind, Kind::replaced);
  EXPECT_EQ(stored_bytes("k"), "mine");
  const Outcome late = apply(delivery());
  EXPECT_TRUE(late.replayed) << "the copy with the first stamp is the same operation";
  EXPECT_EQ(late.version, write.ended->operation);
  EXPECT_EQ(stored_bytes("k"), "mine");
}

TEST_F(WriterQueueTest, ConditionalWritesNeverEnterTheQueue) {
  for (const Condition::Kind kind :
       {Condition::Kind::if_absent, Condition::Kind::if_present, Condition::Kind::if_version}) {
    WriteRequest request = put_request("k", "v");
    request.condition = {kind, version(1, 1)};
    EXPECT_FALSE(write(std::move(request)).waits());
  }
  EXPECT_EQ(broker_.depth(), 0U);
  EXPECT_EQ(store_.applies, 3U);
  EXPECT_EQ(stored_bytes("k"), "v");
}

TEST_F(WriterQueueTest, AConditionalWriteFailsWithTheStore) {
  faulty_.fail_next(1, no_store);
  WriteRequest request = put_request("k", "v");
  request.condition = {Condition::Kind::if_absent, {}};
  EXPECT_EQ(write(std::move(request)).error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace armazem::test
