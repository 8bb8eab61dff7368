#include "worker/worker.h"

#include <algorithm>
#include <deque>

#include "service/cluster_fixture.h"

namespace armazem::test {
namespace {

const Error no_store{ErrorCode::unavailable, "the store is away"};

// A consumer in front of another one that writes down what the worker does, and can be dead: then nothing reaches the
// broker any more, as from a process that was killed.
class ConsumerWrapper final : public QueueConsumer {
 public:
  ConsumerWrapper(std::unique_ptr<QueueConsumer> inner, Order& order) : inner_(std::move(inner)), order_(order) {}

  Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) override {
    ++waiting;
    std::vector<Delivery> taken = co_await inner_->take(mutations_max, bytes_max, deadline);
    --waiting;
    co_return taken;
  }
  void reply(const std::string& reply_to, std::vector<Reply> replies) override {
    if (dead) return;
    order_.emplace_back("reply");
    inner_->reply(reply_to, std::move(replies));
    if (after_reply) after_reply();
  }
  void acknowledge(std::span<const std::uint64_t> ids) override {
    if (dead) return;
    order_.emplace_back("ack");
    acknowledged += ids.size();
    inner_->acknowledge(ids);
  }
  Task<Result<void>> set_aside(const Mutation& mutation, DeadReason reason, std::string detail,
                               Deadline deadline) override {
    ++set_asides;
    return inner_->set_aside(mutation, reason, std::move(detail), deadline);
  }
  void release() override { inner_->release(); }
  void resume() override { inner_->resume(); }
  [[nodiscard]] std::uint64_t depth() const noexcept override { return inner_->depth(); }
  [[nodiscard]] QueueHealth health() const override { return inner_->health(); }
  void close() override { inner_->close(); }

  bool dead = false;
  std::function<void()> after_reply;
  std::size_t waiting = 0;
  std::size_t acknowledged = 0;
  std::size_t set_asides = 0;

 private:
  const std::unique_ptr<QueueConsumer> inner_;
  Order& order_;
};

// The replies of one server.
class Replies final : public ReplySink {
 public:
  void on_replies(std::span<const Reply> replies) override { messages.emplace_back(replies.begin(), replies.end()); }
  void on_replies_lost() override {}
  [[nodiscard]] std::vector<Reply> all() const {
    std::vector<Reply> all;
    for (const auto& message : messages) all.insert(all.end(), message.begin(), message.end());
    return all;
  }
  std::vector<std::vector<Reply>> messages;
};

class WorkerTest : public ClusterTest {
 protected:
  WorkerTest() {
    store_.after = [this] { order_.emplace_back("store"); };
    cache_.after_write = [this] { order_.emplace_back("cache"); };
    ticks_.spawn(tick());
  }
  ~WorkerTest() override {
    stop();
    ticking_ = false;
    EXPECT_TRUE(executor_.run_until([this] { return ticks_.running() == 0; }));
  }

  void start(WorkerOptions options = {}) {
    consumer_ = std::make_unique<ConsumerWrapper>(broker_.connect_consumer(), order_);
    worker_ = std::make_unique<Worker>(*consumer_, applier_, store_, time_, options);
    scope_.spawn(worker_->run());
    executor_.run_ready();
  }
  // How long the worker took to end.
  MonotonicClock::duration stop() {
    const MonotonicTime begun = time_.now();
    if (worker_) worker_->stop();
    EXPECT_TRUE(executor_.run_until([this] { return scope_.running() == 0; }, std::chrono::minutes(5)));
    worker_.reset();
    consumer_.reset();
    return time_.now() - begun;
  }
  void publish(const std::vector<Mutation>& mutations) { publish(*publisher_, mutations); }
  void publish(QueuePublisher& by, const std::vector<Mutation>& mutations) {
    ASSERT_TRUE(executor_.run(by.publish(0, mutations, in_time())).has_value());
    executor_.run_ready();
  }
  void pass(int ms) { executor_.pass(milliseconds(ms)); }
  template <class Holds>
  [[nodiscard]] bool within(int seconds, Holds holds) {
    return executor_.run_until(holds, std::chrono::seconds(seconds));
  }
  [[nodiscard]] Worker::Figures figures() const { return worker_->figures(); }
  std::vector<DeadLetter> letters() { return broker_.dead_letters()->list(100).value(); }
  // Stamped now.
  Mutation fresh_put(const std::string& name, const std::string& bytes) {
    return put(name, bytes, time_.wall_ms() - epoch_ms, ++ops_);
  }
  // The store fails every batch that holds this key, for a reason that lies in the batch.
  void store_chokes_on(const std::string& name) {
    store_.before = [name](const auto& batch) -> std::optional<StoreWrapper::Outcomes> {
      const bool holds = std::ranges::any_of(batch, [&](const Mutation& one) { return one.key.text() == name; });
      if (holds) return fail(ErrorCode::invalid_argument, "a value out of range");
      return std::nullopt;
    };
  }
  Task<void> tick() {
    while (ticking_) {
      co_await sleep_until(time_.now() + milliseconds(50));
      broker_.expire(time_.now());
    }
  }

  MemoryQueue broker_{{}, time_};
  Replies replies_;
  std::unique_ptr<QueuePublisher> publisher_ = broker_.connect_publisher(replies_);
  Applier applier_{store_, &cache_, time_};
  Order order_;
  TaskScope scope_{executor_};
  TaskScope ticks_{executor_};
  bool ticking_ = true;
  std::unique_ptr<ConsumerWrapper> consumer_;
  std::unique_ptr<Worker> worker_;
  std::uint64_t ops_ = 1'000'000;  // none of what is given
};

// A batch's road -------------------------------------------------------------------------------------------------------

TEST_F(WorkerTest, StoreThenCacheThenReplyThenAcknowledge) {
  start();
  publish({fresh_put("k", "v")});
  EXPECT_EQ(order_, (Order{"store", "cache", "reply", "ack"}));
  EXPECT_EQ(stored_bytes("k"), "v");
  EXPECT_EQ(cached("k")->value.bytes, "v");
}

TEST_F(WorkerTest, EveryMutationIsAnsweredWithItsOwnOutcome) {
  const Mutation applied = fresh_put("a", "v");
  const Mutation replayed = fresh_put("b", "v");
  Mutation overtaken = fresh_put("c", "v");
  given({replayed, put("c", "newer", 10'000)});
  start();
  publish({applied, replayed, overtaken});
  ASSERT_EQ(replies_.messages.size(), 1U);
  const auto& replies = replies_.messages[0];
  ASSERT_EQ(replies.size(), 3U);
  EXPECT_EQ(replies[0], (Reply{applied.version, applied_at(applied.version)}));
  EXPECT_EQ(replies[1].sent, replayed.version);
  EXPECT_TRUE(replies[1].outcome.replayed);
  EXPECT_EQ(replies[2].outcome.verdict, Verdict::superseded);
  EXPECT_EQ(replies[2].outcome.current, version(10'000, 10'000));
  EXPECT_EQ(figures().applied, 1U);
  EXPECT_EQ(figures().replayed, 1U);
  EXPECT_EQ(figures().superseded, 1U);
  EXPECT_EQ(figures().mutations, 3U);
  EXPECT_EQ(figures().batches, 1U);
}

TEST_F(WorkerTest, OneReplyMessagePerServerAndBatch) {
  Replies others;
  const auto other = broker_.connect_publisher(others);
  start();
  broker_.hold_deliveries();
  for (int i = 0; i < 3; ++i)
    publish({fresh_put("a" + std::to_string(i), "v"), fresh_put("b" + std::to_string(i), "v")});
  for (int i = 0; i < 2; ++i) publish(*other, {fresh_put("c" + std::to_string(i), "v")});
  broker_.release_deliveries();
  executor_.run_ready();
  EXPECT_EQ(store_.applies, 1U) << "all that had arrived";
  ASSERT_EQ(replies_.messages.size(), 1U);
  EXPECT_EQ(replies_.messages[0].size(), 6U);
  ASSERT_EQ(others.messages.size(), 1U);
  EXPECT_EQ(others.messages[0].size(), 2U);
  EXPECT_EQ(consumer_->acknowledged, 5U);
}

TEST_F(WorkerTest, AMessageThatNobodyWaitsForIsAppliedAndAcknowledged) {
  start();
  publish({fresh_put("k", "v")});
  publisher_.reset();
  publisher_ = broker_.connect_publisher(replies_);
  EXPECT_EQ(consumer_->acknowledged, 1U);
}

TEST_F(WorkerTest, LargeBatchesAreCutToWhatTheStoreTakes) {
  start({.batch_mutations_max = 4});
  std::vector<Mutation> mutations;
  for (int i = 0; i < 10; ++i) mutations.push_back(fresh_put("k" + std::to_string(i), "v"));
  publish(mutations);
  EXPECT_EQ(store_.batch_sizes, (std::vector<std::size_t>{4, 4, 2}));
  ASSERT_EQ(replies_.messages.size(), 1U);
  ASSERT_EQ(replies_.messages[0].size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(replies_.messages[0][i], (Reply{mutations[i].version, applied_at(mutations[i].version)}));
  }
  EXPECT_EQ(consumer_->acknowledged, 1U);
}

TEST_F(WorkerTest, TheDelayIsCountedFromTheStamp) {
  start();
  const Mutation mutation = fresh_put("k", "v");
  pass(30);
  publish({mutation});
  std::size_t slot = 0;
  while (DurationHistogram::bounds_seconds[slot] < 0.030) ++slot;
  EXPECT_EQ(worker_->delay().count(slot), 1U);
  EXPECT_NEAR(worker_->delay().sum_seconds(), 0.030, 0.001);
  publish({mutation});
  EXPECT_EQ(worker_->delay().count(slot), 1U) << "a replay is no news";
  Mutation ahead = fresh_put("k", "v");
  ahead.version = Version::make(Tick::from_ms(ahead.version.ms() + 400), OpId(99));
  publish({ahead});
  EXPECT_EQ(worker_->delay().count(0), 1U) << "stamped by a clock that is ahead of ours";
  std::uint64_t batches = 0;
  for (std::size_t i = 0; i <= DurationHistogram::bounds_seconds.size(); ++i) batches += worker_->batch_time().count(i);
  EXPECT_EQ(batches, 3U);
}

// A store that is away --------------------------------------------------------------------------------------------------

TEST_F(WorkerTest, AStoreThatIsAwayIsTriedAgainWithGrowingPauses) {
  std::vector<MonotonicTime> tries;
  store_.before = [&](const auto&) -> std::optional<StoreWrapper::Outcomes> {
    tries.push_back(time_.now());
    EXPECT_EQ(consumer_->acknowledged, 0U);
    return std::nullopt;
  };
  start({.backoff_first = milliseconds(50), .backoff_max = milliseconds(400)});
  faulty_.fail_next(6, no_store);
  publish({fresh_put("k", "v")});
  ASSERT_TRUE(within(10, [&] { return consumer_->acknowledged == 1; }));
  ASSERT_EQ(tries.size(), 7U);
  int longest = 50;
  for (std::size_t i = 1; i < tries.size(); ++i) {
    EXPECT_GE(tries[i] - tries[i - 1], milliseconds(longest / 2)) << i;
    EXPECT_LE(tries[i] - tries[i - 1], milliseconds(longest)) << i;
    longest = std::min(400, 2 * longest);
  }
  EXPECT_EQ(figures().store_errors, 6U);
  EXPECT_EQ(figures().releases, 0U);
  EXPECT_EQ(figures().applied, 1U);
  EXPECT_TRUE(letters().empty());
  EXPECT_EQ(replies_.messages.size(), 1U);
}

TEST_F(WorkerTest, NoErrorOfATierEverSetsAMutationAside) {
  start();
  std::size_t expected = 0;
  for (const ErrorCode code : {ErrorCode::overloaded, ErrorCode::unavailable, ErrorCode::storage_full,
                               ErrorCode::deadline_exceeded, ErrorCode::outcome_unknown, ErrorCode::precondition}) {
    faulty_.fail_next(3, {code, "why"});
    publish({fresh_put("k" + std::to_string(expected), "v")});
    ++expected;
    EXPECT_TRUE(within(60, [&] { return consumer_->acknowledged == expected; })) << to_string(code);
  }
  EXPECT_TRUE(letters().empty());
  EXPECT_EQ(figures().applied, expected);
}

TEST_F(WorkerTest, AnAnswerOfTheStoreThatWasLostIsFoundAgain) {
  start();
  faulty_.lose_answers(1);
  publish({fresh_put("k", "v")});
  ASSERT_TRUE(within(10, [&] { return consumer_->acknowledged == 1; }));
  EXPECT_TRUE(replies_.all().at(0).outcome.replayed);
  EXPECT_EQ(stored("k")->history.entries().size(), 1U);
}

TEST_F(WorkerTest, AfterHoldMaxEverythingGoesBackUntilTheStoreAnswers) {
  start({.lanes_max = 2, .hold_max = milliseconds(3'000)});
  faulty_.fail_next(1'000'000, no_store);
  for (int i = 0; i < 5; ++i) publish({fresh_put("k" + std::to_string(i), "v")});
  const MonotonicTime begun = time_.now();
  ASSERT_TRUE(within(60, [&] { return figures().suspended; }));
  EXPECT_GE(time_.now() - begun, milliseconds(3'000));
  EXPECT_LE(time_.now() - begun, milliseconds(3'000) + WorkerOptions{}.backoff_max);
  EXPECT_EQ(broker_.depth(), 5U) << "another worker may take them";
  EXPECT_EQ(figures().releases, 1U);
  const std::size_t applies = store_.applies;
  const std::size_t healths = store_.healths;
  pass(60'000);
  EXPECT_TRUE(figures().suspended);
  EXPECT_EQ(store_.applies, applies) << "nothing is taken meanwhile";
  EXPECT_GT(store_.healths, healths);
  EXPECT_EQ(consumer_->acknowledged, 0U);
  EXPECT_TRUE(replies_.messages.empty());

  faulty_.fail_next(0, no_store);
  ASSERT_TRUE(within(60, [&] { return consumer_->acknowledged == 5; }));
  EXPECT_FALSE(figures().suspended);
  EXPECT_EQ(broker_.depth(), 0U);
  EXPECT_EQ(figures().applied, 5U);
  EXPECT_EQ(figures().redelivered, 1U) << "the others had not been taken";
  EXPECT_EQ(figures().releases, 1U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(stored("k" + std::to_string(i))->history.entries().size(), 1U);
  EXPECT_TRUE(letters().empty());
}

TEST_F(WorkerTest, LanesThatFailTogetherGiveBackOnce) {
  start({.lanes_max = 2,
         .batch_mutations_max = 1,
         .hold_max = milliseconds(1'000),
         .adapt_interval = milliseconds(100),
         .depth_to_grow = 1,
         .depth_to_shrink = 0});
  broker_.hold_deliveries();
  for (int i = 0; i < 3; ++i) publish({fresh_put("k" + std::to_string(i), "v")});
  pass(1'000);
  faulty_.fail_next(1'000'000, no_store);
  const std::size_t before = store_.applies;
  broker_.release_deliveries();
  executor_.run_ready();
  ASSERT_EQ(store_.applies, before + 2) << "both lanes are at it";
  pass(20'000);
  EXPECT_TRUE(figures().suspended);
  EXPECT_EQ(figures().releases, 1U);
  EXPECT_EQ(broker_.depth(), 3U);
  faulty_.fail_next(0, no_store);
  ASSERT_TRUE(within(60, [&] { return consumer_->acknowledged == 3; }));
  EXPECT_EQ(figures().applied, 3U);
}

TEST_F(WorkerTest, AnotherWorkerTakesWhatWasGivenBack) {
  start({.hold_max = milliseconds(1'000)});
  faulty_.fail_next(1'000'000, no_store);
  publish({fresh_put("k", "v")});
  ASSERT_TRUE(within(60, [&] { return figures().suspended; }));
  const auto second = broker_.connect_consumer();
  const auto taken = executor_.run(second->take(10, 1'000, in_time()));
  ASSERT_EQ(taken.size(), 1U);
  second->acknowledge({&taken[0].id, 1});
}

// What can never be applied -----------------------------------------------------------------------------------------------

TEST_F(WorkerTest, TheMutationThatSpoilsItsBatchIsFoundAndSetAside) {
  store_chokes_on("bad");
  start();
  std::vector<Mutation> mutations;
  for (const char* name : {"a", "b", "bad", "c", "d", "e", "f"}) mutations.push_back(fresh_put(name, "v"));
  publish(mutations);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) EXPECT_EQ(stored_bytes(name), "v") << name;
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters()[0].reason, to_string(DeadReason::rejected));
  ASSERT_EQ(letters()[0].mutations.size(), 1U);
  EXPECT_EQ(letters()[0].mutations[0].version, mutations[2].version);
  EXPECT_EQ(consumer_->acknowledged, 1U);
  EXPECT_EQ(figures().set_aside, 1U);
  EXPECT_EQ(figures().applied, 6U);
  const auto replies = replies_.all();
  ASSERT_EQ(replies.size(), 7U);
  for (std::size_t i = 0; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].sent, mutations[i].version);
    EXPECT_EQ(replies[i].outcome.verdict, i == 2 ? Verdict::refused : Verdict::applied) << i;
  }
}

TEST_F(WorkerTest, WhatTheStoreRefusesByItselfIsSetAsideWithoutASearch) {
  store_.before = [](const auto& batch) -> std::optional<StoreWrapper::Outcomes> {
    std::vector<Outcome> outcomes(batch.size(), Outcome{Verdict::refused, {}, {}, {}, false});
    return outcomes;
  };
  start();
  publish({fresh_put("a", "v"), fresh_put("b", "v")});
  EXPECT_EQ(store_.applies, 1U);
  EXPECT_EQ(letters().size(), 2U);
  EXPECT_EQ(cache_.calls, 0U);
  EXPECT_EQ(consumer_->acknowledged, 1U);
}

TEST_F(WorkerTest, AMutationOlderThanTheRetentionIsSetAsideWhenNoRecordIsLeft) {
  time_.set_wall_ms(epoch_ms + 100'000'000);
  given({put("known", "v", 50)});
  start({.retention = milliseconds(10'000'000), .retention_margin = milliseconds(60'000)});
  const std::uint64_t horizon = 100'000'000 - 10'000'000 + 60'000;
  publish(
      {put("purged", "v", horizon - 1), put("young", "v", horizon), put("known", "late", 40), put("known", "w", 60)});
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters()[0].reason, to_string(DeadReason::too_old));
  EXPECT_EQ(letters()[0].mutations.at(0).key.text(), "purged");
  EXPECT_FALSE(stored("purged").has_value());
  EXPECT_EQ(stored_bytes("young"), "v");
  EXPECT_EQ(stored_bytes("known"), "w");
  EXPECT_EQ(replies_.all().at(0).outcome.verdict, Verdict::too_old);
  EXPECT_EQ(replies_.all().at(2).outcome.verdict, Verdict::indeterminate) << "its history may have been longer";
  EXPECT_EQ(figures().too_old, 1U);
  EXPECT_EQ(consumer_->acknowledged, 1U);
}

// A margin of a minute must not switch the guard off where tombstones live for less.
TEST_F(WorkerTest, AShortRetentionHasItsGuardToo) {
  time_.set_wall_ms(epoch_ms + 100'000);
  start({.retention = milliseconds(30'000), .retention_margin = milliseconds(60'000)});
  publish({put("old", "v", 100'000 - 30'001), put("new", "v", 100'000 - 1'000)});
  EXPECT_FALSE(stored("old").has_value()) << "its tombstone may be gone";
  EXPECT_EQ(stored_bytes("new"), "v");
  EXPECT_EQ(letters().size(), 1U);
}

TEST_F(WorkerTest, SettingAsideIsTriedAgain) {
  store_chokes_on("bad");
  start();
  broker_.refuse_dead_letters(3);
  publish({fresh_put("bad", "v"), fresh_put("good", "v")});
  EXPECT_EQ(consumer_->acknowledged, 0U);
  EXPECT_TRUE(replies_.messages.empty());
  ASSERT_TRUE(within(10, [&] { return consumer_->acknowledged == 1; }));
  EXPECT_EQ(letters().size(), 1U);
  EXPECT_EQ(figures().releases, 0U) << "a short failure does not send every message back";
  EXPECT_EQ(figures().applied, 1U);
}

TEST_F(WorkerTest, WithoutDeadLettersNothingIsAcknowledgedAndItComesAgain) {
  store_chokes_on("bad");
  start({.hold_max = milliseconds(1'000)});
  broker_.refuse_dead_letters(1'000'000);
  publish({fresh_put("bad", "v"), fresh_put("good", "v")});
  ASSERT_TRUE(within(60, [&] { return figures().releases >= 2; }));
  EXPECT_EQ(consumer_->acknowledged, 0U);
  EXPECT_TRUE(replies_.messages.empty());
  EXPECT_TRUE(letters().empty());
  broker_.refuse_dead_letters(0);
  ASSERT_TRUE(within(60, [&] { return consumer_->acknowledged == 1; }));
  EXPECT_EQ(letters().size(), 1U);
  EXPECT_EQ(figures().applied, 1U);
  EXPECT_EQ(stored("good")->history.entries().size(), 1U) << "the second time it was found to be applied";
  EXPECT_EQ(broker_.depth(), 0U);
}

// The end of a process ----------------------------------------------------------------------------------------------------

enum class CrashAfter { store, cache, reply };
class WorkerCrashTest : public WorkerTest, public testing::WithParamInterface<CrashAfter> {};
INSTANTIATE_TEST_SUITE_P(At, WorkerCrashTest, testing::Values(CrashAfter::store, CrashAfter::cache, CrashAfter::reply),
                         [](const auto& at) {
                           return at.param == CrashAfter::store   ? "Store"
                                  : at.param == CrashAfter::cache ? "Cache"
                                                                  : "Reply";
                         });

TEST_P(WorkerCrashTest, ACrashAnywhereIsHarmless) {
  given({put("k", "old", 1)});
  given_cached(put("k", "old", 1));
  pass(1'000);
  start();
  const auto die = [this] { consumer_->dead = true; };
  cache_.before_write = [this]() -> std::optional<Result<void>> {
    if (consumer_->dead) return Result<void>();  // it never got there
    return std::nullopt;
  };
  if (GetParam() == CrashAfter::store) store_.after = die;
  if (GetParam() == CrashAfter::cache) cache_.after_write = die;
  if (GetParam() == CrashAfter::reply) consumer_->after_reply = die;
  const Mutation mutation = fresh_put("k", "new");
  publish({mutation});
  ASSERT_TRUE(consumer_->dead);
  EXPECT_EQ(replies_.messages.size(), GetParam() == CrashAfter::reply ? 1U : 0U);
  stop();
  EXPECT_EQ(broker_.depth(), 1U) << "not acknowledged, so it comes again";

  store_.after = {};
  cache_.after_write = {};
  start();
  executor_.run_ready();
  EXPECT_EQ(broker_.depth(), 0U);
  EXPECT_EQ(consumer_->acknowledged, 1U);
  EXPECT_EQ(figures().replayed, 1U);
  EXPECT_EQ(figures().applied, 0U);
  EXPECT_EQ(stored("k")->version, mutation.version);
  EXPECT_EQ(stored("k")->history.entries().size(), 2U);
  if (const auto entry = cached("k")) {
    EXPECT_EQ(entry->version, mutation.version) << "no older value is left in the cache";
  }
  const Reply last = replies_.all().back();
  EXPECT_EQ(last.sent, mutation.version);
  EXPECT_EQ(last.outcome.verdict, Verdict::applied);
  EXPECT_EQ(last.outcome.effect, Effect::replaced) << "answered as the first time";
}

TEST_F(WorkerTest, StopLetsTheBatchUnderWayEnd) {
  start({.lanes_max = 1});
  faulty_.hold();
  publish({fresh_put("a", "v")});
  publish({fresh_put("b", "v")});
  ASSERT_EQ(faulty_.held(), 1U);
  worker_->stop();
  pass(100);
  EXPECT_NE(scope_.running(), 0U);
  faulty_.release();
  ASSERT_TRUE(within(5, [&] { return scope_.running() == 0; }));
  EXPECT_EQ(replies_.messages.size(), 1U);
  EXPECT_EQ(consumer_->acknowledged, 1U);
  EXPECT_EQ(stored_bytes("a"), "v");
  stop();
  EXPECT_EQ(stored_bytes("b"), "(none)");
  EXPECT_EQ(broker_.depth(), 1U) << "the rest goes back to the queue";
}

TEST_F(WorkerTest, StopDoesNotWaitForAStoreThatIsAway) {
  start();
  faulty_.fail_next(1'000'000, no_store);
  publish({fresh_put("k", "v")});
  pass(1'000);
  EXPECT_LE(stop(), WorkerOptions{}.backoff_max + milliseconds(500));
  EXPECT_EQ(broker_.depth(), 1U);
}

TEST_F(WorkerTest, StopEndsASuspendedWorker) {
  start({.hold_max = milliseconds(1'000)});
  faulty_.fail_next(1'000'000, no_store);
  publish({fresh_put("k", "v")});
  ASSERT_TRUE(within(60, [&] { return figures().suspended; }));
  EXPECT_LE(stop(), milliseconds(1'000));
  EXPECT_EQ(broker_.depth(), 1U);
}

TEST_F(WorkerTest, StopEndsAnIdleWorker) {
  start();
  pass(5'000);
  EXPECT_LE(stop(), WorkerOptions{}.adapt_interval);
}

// Lanes -------------------------------------------------------------------------------------------------------------------

TEST_F(WorkerTest, LanesFollowTheDepthOfTheQueue) {
  start({.lanes_max = 3, .adapt_interval = milliseconds(500), .depth_to_grow = 20, .depth_to_shrink = 5});
  EXPECT_EQ(figures().lanes, 1U);
  broker_.hold_deliveries();
  for (int i = 0; i < 21; ++i) publish({fresh_put("k" + std::to_string(i), "v")});
  pass(500);
  EXPECT_EQ(figures().lanes, 2U) << "one at each interval";
  pass(500);
  EXPECT_EQ(figures().lanes, 3U);
  pass(5'000);
  EXPECT_EQ(figures().lanes, 3U) << "and no more than allowed";
  EXPECT_EQ(consumer_->waiting, 3U) << "every lane is at work";
  broker_.release_deliveries();
  pass(500);
  EXPECT_EQ(figures().lanes, 2U);
  pass(10'000);
  EXPECT_EQ(figures().lanes, 1U) << "one is always left";
  EXPECT_EQ(consumer_->waiting, 1U);
  EXPECT_EQ(figures().applied, 21U);
}

TEST_F(WorkerTest, LanesStayBetweenTheBounds) {
  start({.lanes_max = 3, .depth_to_grow = 20, .depth_to_shrink = 5});
  broker_.hold_deliveries();
  for (int i = 0; i < 20; ++i) publish({fresh_put("k" + std::to_string(i), "v")});
  pass(5'000);
  EXPECT_EQ(figures().lanes, 1U);
}

}  // namespace
}  // namespace armazem::test
