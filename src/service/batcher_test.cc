// Group commit: what is grouped, what is bounded, and that every waiter learns its own fate exactly once.
#include "service/batcher.h"

#include <gmock/gmock.h>

#include "service/service_fixture.h"

namespace armazem::test {
namespace {

constexpr auto hour = std::chrono::hours(1);

class BatcherTest : public ServiceTest {
 protected:
  Batcher& start(BatcherOptions options = {}) {
    batcher_.emplace(applier_, batch_thread_, time_, options);
    writes_.emplace(*batcher_, executor_);
    return *batcher_;
  }
  // From here on the batcher's loop waits for the store, with one batch on its way.
  void occupy_the_store(std::vector<Mutation> batch, Deadline deadline = soon()) {
    store_.hold();
    {
      const Pause together(batch_thread_);
      for (Mutation& mutation : batch) writes_->submit(std::move(mutation), deadline);
    }
    ASSERT_TRUE(eventually([this] { return store_.held() == 1; }));
  }
  void occupy_the_store() { occupy_the_store({put("first", "1", 1)}); }
  void TearDown() override {
    store_.release();
    writes_.reset();
    batcher_.reset();
  }

  std::optional<Batcher> batcher_;
  std::optional<Writes> writes_;
};

TEST_F(BatcherTest, AnIdleBatcherSendsASingleWriteAtOnce) {
  start();
  writes_->submit(put("k", "v", 1));
  EXPECT_EQ(writes_->wait(0).value(), applied(Effect::created, version(1, 1)));
  EXPECT_EQ(batcher_->figures().batches, 1U);
  EXPECT_EQ(stored_bytes("k"), "v");
}

TEST_F(BatcherTest, WhatGathersDuringAStoreCallBecomesOneBatch) {
  start();
  occupy_the_store();
  for (std::uint64_t i = 2; i <= 100; ++i) writes_->submit(put("k" + std::to_string(i), "v", i));
  EXPECT_EQ(batcher_->figures().pending, 99U);
  store_.release();
  writes_->finish();
  const Batcher::Figures figures = batcher_->figures();
  EXPECT_EQ(figures.batches, 2U);
  EXPECT_EQ(figures.mutations, 100U);
  EXPECT_EQ(figures.pending, 0U);
  EXPECT_EQ(store_.calls(), 2U);
}

TEST_F(BatcherTest, EveryWaiterGetsItsOwnOutcome) {
  start();
  occupy_the_store();
  writes_->submit(put("a", "old", 2));
  writes_->submit(remove("nothing", 3));
  writes_->submit(put("a", "new", 4));
  writes_->submit(with(put("a", "never", 5), Condition::Kind::if_absent));
  writes_->submit(put("b", "b", 6));
  writes_->submit(remove("a", 7));
  store_.release();
  writes_->finish();
  ASSERT_EQ(batcher_->figures().batches, 2U);
  EXPECT_EQ(writes_->wait(1).value(), applied(Effect::created, version(2, 2)));
  EXPECT_EQ(writes_->wait(2).value(), applied(Effect::nothing_to_delete, version(3, 3)));
  EXPECT_EQ(writes_->wait(3).value(), applied(Effect::replaced, version(4, 4)));
  EXPECT_EQ(writes_->wait(4).value().verdict, Verdict::condition_failed);
  EXPECT_EQ(writes_->wait(4).value().current, version(4, 4));
  EXPECT_EQ(writes_->wait(5).value(), applied(Effect::created, version(6, 6)));
  EXPECT_EQ(writes_->wait(6).value(), applied(Effect::deleted, version(7, 7)));
}

// Limits ---------------------------------------------------------------------------------------------------------------

TEST_F(BatcherTest, ABatchHasABoundedNumberOfMutations) {
  start({.batch_mutations_max = 3});
  occupy_the_store();
  for (std::uint64_t i = 2; i <= 8; ++i) writes_->submit(put("k", "v", i));
  store_.release();
  writes_->finish();
  EXPECT_EQ(batcher_->figures().batches, 1U + 3U);  // 3 + 3 + 1
  EXPECT_EQ(stored("k")->version, version(8, 8));
}

TEST_F(BatcherTest, ABatchHasABoundedNumberOfBytes) {
  const std::string bytes(1000, 'x');
  start({.batch_bytes_max = 2 * put("k", bytes, 1).size_bytes()});
  occupy_the_store();
  for (std::uint64_t i = 2; i <= 6; ++i) writes_->submit(put("k", bytes, i));
  store_.release();
  writes_->finish();
  EXPECT_EQ(batcher_->figures().batches, 1U + 3U);  // 2 + 2 + 1
}

TEST_F(BatcherTest, AMutationLargerThanABatchGoesAlone) {
  start({.batch_bytes_max = 500});
  occupy_the_store();
  writes_->submit(put("small", "v", 2));
  writes_->submit(put("large", std::string(1000, 'x'), 3));
  writes_->submit(put("small", "v", 4));
  store_.release();
  writes_->finish();
  EXPECT_EQ(batcher_->figures().batches, 1U + 3U);
  EXPECT_EQ(stored_bytes("large").size(), 1000U);
}

TEST_F(BatcherTest, TooManyWaitingMutationsAreRefusedWithoutEffect) {
  start({.pending_mutations_max = 2});
  occupy_the_store();
  writes_->submit(put("a", "v", 2));
  writes_->submit(put("b", "v", 3));
  writes_->submit(put("c", "v", 4));
  ASSERT_TRUE(writes_->answered(3)) << "the refusal must not wait for the store";
  EXPECT_EQ(writes_->wait(3).error().code, ErrorCode::overloaded);
  EXPECT_EQ(batcher_->figures().refused, 1U);
  store_.release();
  writes_->finish();
  EXPECT_EQ(stored_bytes("b"), "v");
  EXPECT_EQ(stored("c"), std::nullopt);
  writes_->submit(put("c", "again", 5));
  EXPECT_TRUE(writes_->wait(4).has_value()) << "there is room again";
}

TEST_F(BatcherTest, TooManyWaitingBytesAreRefusedWithoutEffect) {
  const std::string bytes(1000, 'x');
  const std::size_t size = put("a", bytes, 1).size_bytes();
  start({.batch_bytes_max = size, .pending_bytes_max = 2 * size});
  occupy_the_store();
  for (int round = 0; round < 3; ++round) {  // bytes that were taken or refused are given back
    const std::size_t before = writes_->size();
    writes_->submit(put("a", bytes, 2));
    writes_->submit(put("b", bytes, 3));
    writes_->submit(put("c", "", 4));
    EXPECT_FALSE(writes_->answered(before + 1)) << "exactly at the bound";
    ASSERT_TRUE(writes_->answered(before + 2));
    EXPECT_EQ(writes_->wait(before + 2).error().code, ErrorCode::overloaded);
    store_.release();
    writes_->finish();
    EXPECT_EQ(stored("c"), std::nullopt);
    occupy_the_store();
  }
}

// Time -----------------------------------------------------------------------------------------------------------------

TEST_F(BatcherTest, AWriteThatIsLateBeforeItsTurnHasNoEffect) {
  start();
  occupy_the_store();
  writes_->submit(put("late", "v", 2), passed());
  writes_->submit(put("in time", "v", 3));
  store_.release();
  EXPECT_EQ(writes_->wait(1).error().code, ErrorCode::deadline_exceeded);
  EXPECT_TRUE(writes_->wait(2).has_value());
  EXPECT_EQ(stored("late"), std::nullopt);
  EXPECT_EQ(batcher_->figures().mutations, 2U);
}

TEST_F(BatcherTest, ABatchOfNothingButLateWritesNeverReachesTheStore) {
  start();
  writes_->submit(put("late", "v", 1), passed());
  EXPECT_EQ(writes_->wait(0).error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(store_.calls(), 0U);
  EXPECT_EQ(batcher_->figures().batches, 0U);
}

TEST_F(BatcherTest, ExpireAnswersWaitersThatHaveNotHadTheirTurn) {
  start();
  occupy_the_store();
  const MonotonicTime end = MonotonicClock::now() + hour;
  writes_->submit(put("late", "v", 2), Deadline::at(end));
  writes_->submit(put("patient", "v", 3), Deadline::at(end + hour));
  batcher_->expire(end - std::chrono::nanoseconds(1));
  batcher_->expire(end);
  EXPECT_EQ(writes_->wait(1).error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(store_.held(), 1U) << "answered while the store is still busy";
  store_.release();
  EXPECT_TRUE(writes_->wait(2).has_value());
  EXPECT_EQ(stored("late"), std::nullopt);
  EXPECT_EQ(batcher_->figures().pending, 0U);
}

TEST_F(BatcherTest, ExpireDoesNothingBeforeTheDeadline) {
  start();
  occupy_the_store();
  const MonotonicTime end = MonotonicClock::now() + hour;
  writes_->submit(put("k", "v", 2), Deadline::at(end));
  batcher_->expire(end - std::chrono::nanoseconds(1));
  store_.release();
  EXPECT_TRUE(writes_->wait(1).has_value());
}

TEST_F(BatcherTest, ExpireDuringTheStoreCallLeavesTheOutcomeUnknown) {
  start();
  const MonotonicTime end = MonotonicClock::now() + hour;
  occupy_the_store({put("k", "v", 1)}, Deadline::at(end));
  batcher_->expire(end);
  EXPECT_EQ(writes_->wait(0).error().code, ErrorCode::outcome_unknown);
  writes_.emplace(*batcher_, executor_);  // nobody is left who could take the late result
  store_.release();
  writes_->submit(put("k", "v", 1));  // the same operation again
  const Outcome retry = writes_->wait(0).value();
  EXPECT_TRUE(retry.replayed) << "it had happened";
  EXPECT_EQ(retry.version, version(1, 1));
}

TEST_F(BatcherTest, ALateResultStillReachesTheOthersOfItsBatch) {
  start();
  const MonotonicTime end = MonotonicClock::now() + hour;
  store_.hold();
  {
    const Pause together(batch_thread_);
    writes_->submit(put("a", "v", 1), Deadline::at(end + hour));
    writes_->submit(put("b", "v", 2), Deadline::at(end));
    writes_->submit(remove("c", 3), Deadline::at(end + hour));
  }
  ASSERT_TRUE(eventually([this] { return store_.held() == 1; }));
  batcher_->expire(end);
  EXPECT_EQ(writes_->wait(1).error().code, ErrorCode::outcome_unknown);
  EXPECT_FALSE(writes_->answered(0) || writes_->answered(2));
  store_.release();
  EXPECT_EQ(writes_->wait(0).value(), applied(Effect::created, version(1, 1)));
  EXPECT_EQ(writes_->wait(2).value(), applied(Effect::nothing_to_delete, version(3, 3)));
  EXPECT_EQ(stored_bytes("b"), "v");
}

TEST_F(BatcherTest, AStoreThatDoesNotStartInTimeFailsTheBatch) {
  start({.store_timeout = std::chrono::milliseconds(0)});
  writes_->submit(put("k", "v", 1));
  EXPECT_EQ(writes_->wait(0).error().code, ErrorCode::deadline_exceeded);
  EXPECT_EQ(stored("k"), std::nullopt);
}

// Errors ---------------------------------------------------------------------------------------------------------------

TEST_F(BatcherTest, AnErrorOfTheStoreReachesEveryWaiterOfItsBatchAndNoOther) {
  start();
  occupy_the_store({put("a", "v", 1), put("b", "v", 2), put("c", "v", 3)});
  writes_->submit(put("d", "v", 4));
  store_.fail_next(1, {ErrorCode::storage_full, "no room"});
  store_.release();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(writes_->wait(i).error().code, ErrorCode::storage_full) << i;
    EXPECT_EQ(writes_->wait(i).error().message, "no room");
  }
  EXPECT_TRUE(writes_->wait(3).has_value());
  EXPECT_EQ(stored("b"), std::nullopt);
  EXPECT_EQ(stored_bytes("d"), "v");
}

TEST_F(BatcherTest, ALostAnswerIsAnUnknownOutcome) {
  start();
  store_.lose_answers(1);
  writes_->submit(put("k", "v", 1));
  EXPECT_EQ(writes_->wait(0).error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(stored_bytes("k"), "v");
}

// The end --------------------------------------------------------------------------------------------------------------

TEST_F(BatcherTest, CloseLetsWhatWaitsReachTheStoreAndRefusesTheRest) {
  constexpr std::size_t plenty = std::size_t{1} << 30;
  start({.pending_mutations_max = plenty, .pending_bytes_max = plenty});
  occupy_the_store();
  writes_->submit(put("waiting", "v", 2));
  std::thread closer([this] { batcher_->close(); });
  // The closer has begun when a write is refused; those that came before it are drained with the others.
  std::uint64_t probes = 0;
  ASSERT_TRUE(eventually([&] {
    writes_->submit(put("probe" + std::to_string(probes), "v", 10 + probes));
    ++probes;
    return writes_->answered(writes_->size() - 1);
  }));
  EXPECT_EQ(writes_->wait(writes_->size() - 1).error().code, ErrorCode::unavailable);
  EXPECT_EQ(stored("waiting"), std::nullopt);
  store_.release();
  closer.join();
  writes_->finish();
  for (std::size_t i = 0; i + 1 < writes_->size(); ++i) EXPECT_TRUE(writes_->wait(i).has_value()) << i;
  EXPECT_EQ(stored_bytes("waiting"), "v");
  EXPECT_EQ(stored("probe" + std::to_string(probes - 1)), std::nullopt);
  EXPECT_EQ(batcher_->figures().pending, 0U);
}

TEST_F(BatcherTest, AClosedBatcherRefusesAndMayBeClosedAgain) {
  start().close();
  writes_->submit(put("k", "v", 1));
  EXPECT_EQ(writes_->wait(0).error().code, ErrorCode::unavailable);
  batcher_->close();
  EXPECT_EQ(store_.calls(), 0U);
}

// Threads --------------------------------------------------------------------------------------------------------------

// Writes one key again and again; after each answer it must be on its own executor and the store must hold the value.
Task<void> write_often(Batcher& batcher, Store& store, TestExecutor& home, std::uint64_t client, int rounds,
                       int& good) {
  const Key own = key("own-" + std::to_string(client));
  for (int round = 1; round <= rounds; ++round) {
    const std::uint64_t ms = static_cast<std::uint64_t>(round) * 1000 + client;
    Mutation mutation = put(own.text(), std::to_string(ms), ms);
    const Result<Outcome> outcome = co_await batcher.submit(std::move(mutation), soon());
    const bool at_home = home.running_here();
    const bool mine = outcome && outcome->version == version(ms, ms);
    const Result<std::optional<Record>> read = co_await store.get(own, soon());
    const bool durable = read && *read && (*read)->value.bytes == std::to_string(ms);
    good += at_home && mine && durable ? 1 : 0;
  }
}

TEST_F(BatcherTest, ManyThreadsEachGetTheirOwnAnswersAtHome) {
  constexpr std::uint64_t threads = 4;
  constexpr std::uint64_t clients = 32;
  constexpr int rounds = 25;
  start({.batch_mutations_max = 7});
  std::vector<int> good(threads, 0);
  // Kept until the batcher is closed: it may still be on its way out of the last `post` when the answer has arrived.
  std::vector<std::optional<TestExecutor>> homes(threads);
  std::vector<std::thread> running;
  for (std::uint64_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      TestExecutor& home = homes[t].emplace();
      TaskScope scope(home);
      for (std::uint64_t c = 0; c < clients; ++c) {
        scope.spawn(write_often(*batcher_, memory_, home, t * clients + c, rounds, good[t]));
      }
      home.run_until([&] { return scope.running() == 0; });
    });
  }
  for (std::thread& thread : running) thread.join();
  batcher_->close();
  EXPECT_THAT(good, testing::Each(static_cast<int>(clients) * rounds));
  const Batcher::Figures figures = batcher_->figures();
  EXPECT_EQ(figures.mutations, threads * clients * rounds);
  EXPECT_GE(figures.batches, figures.mutations / 7);
}

}  // namespace
}  // namespace armazem::test
