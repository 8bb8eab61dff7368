// The contract towards callers: deadlines, windows, executors, closing, refusals.
#include "contract/queue_contract.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;

template <class T>
ErrorCode code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::internal : result.error().code;
}

TEST_P(QueueContract, NothingStartsBehindItsDeadline) {
  const auto to = publisher();
  const auto from = consumer();
  const std::vector<Mutation> one = {put("k", "late", 1)};
  EXPECT_EQ(code_of(executor_.run(to->publish(0, one, passed()))), ErrorCode::deadline_exceeded);
  EXPECT_EQ(code_of(executor_.run(from->set_aside(one[0], DeadReason::rejected, "", passed()))),
            ErrorCode::deadline_exceeded);
  EXPECT_TRUE(take(*from, within(150ms)).empty());
  EXPECT_TRUE(letters().empty());
}

TEST_P(QueueContract, ATakeEndsEmptyAtItsDeadline) {
  const auto from = consumer();
  EXPECT_TRUE(take(*from, passed()).empty());
  const MonotonicTime begun = MonotonicClock::now();
  EXPECT_TRUE(take(*from, within(100ms)).empty());
  const auto waited = MonotonicClock::now() - begun;
  EXPECT_GE(waited, 100ms);
  EXPECT_LT(waited, 5s);
}

TEST_P(QueueContract, ATakeBehindItsDeadlineStillGetsNothingThatIsLost) {
  const auto to = publisher();
  const auto from = consumer();
  EXPECT_TRUE(take(*from, within(20ms)).empty());
  publish_texts(*to, 1, 2);
  EXPECT_EQ(texts(take_many(*from, 1)), std::vector<std::string>{"1"});
}

Task<void> take_into(QueueConsumer& from, Deadline deadline, std::vector<Delivery>& taken, bool& ended) {
  taken = co_await from.take(100, 1 << 20, deadline);
  ended = true;
}

TEST_P(QueueContract, SeveralTakesMayWaitAndEachMessageGoesToOne) {
  const auto to = publisher();
  const auto from = consumer();
  std::vector<Delivery> a, b;
  bool a_ended = false, b_ended = false;
  TaskScope scope(executor_);
  scope.spawn(take_into(*from, soon(), a, a_ended));
  scope.spawn(take_into(*from, soon(), b, b_ended));
  EXPECT_FALSE(a_ended || b_ended);
  publish_texts(*to, 1, 2);
  executor_.run_until([&] { return a_ended || b_ended; });
  publish_texts(*to, 2, 3);
  executor_.run_until([&] { return a_ended && b_ended; });
  EXPECT_EQ(a.size(), 1U);
  EXPECT_EQ(b.size(), 1U);
  executor_.run_until([&] { return scope.running() == 0; });
}

TEST_P(QueueContract, CloseEndsThoseWhoWait) {
  const auto to = publisher();
  const auto from = consumer();
  std::vector<Delivery> taken;
  bool ended = false;
  TaskScope scope(executor_);
  scope.spawn(take_into(*from, Deadline::none(), taken, ended));
  from->close();
  executor_.run_until([&] { return ended && scope.running() == 0; });
  EXPECT_TRUE(taken.empty());
  publish_texts(*to, 1, 2);
  EXPECT_TRUE(take(*from, Deadline::none()).empty());
}

Task<int> count_calls_that_came_home(QueuePublisher& to, QueueConsumer& from, Executor& home) {
  int came_home = 0;
  const std::vector<Mutation> one = {put("k", "v", 1)};
  (void)co_await to.publish(0, one, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await from.take(1, 1, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await from.set_aside(one[0], DeadReason::rejected, "", soon());
  came_home += home.running_here() ? 1 : 0;
  co_return came_home;
}

TEST_P(QueueContract, EveryCallResumesOnTheCallersExecutor) {
  const auto to = publisher();
  const auto from = consumer();
  EXPECT_EQ(executor_.run(count_calls_that_came_home(*to, *from, executor_)), 3);
}

Task<void> publish_into(QueuePublisher& to, std::string text, Deadline deadline, std::vector<Result<void>>& results) {
  std::vector<Mutation> one = {put("k", std::move(text), 1)};
  Result<void> result = co_await to.publish(0, one, deadline);
  results.push_back(std::move(result));
}

TEST_P(QueueContract, BeyondTheWindowAPublishIsRefusedAtOnce) {
  const auto to = publisher();
  const auto from = consumer();
  queue().hold_confirms();
  std::vector<Result<void>> waiting;
  std::vector<Result<void>> refused;
  TaskScope scope(executor_);
  for (std::size_t i = 0; i < contract_window; ++i) scope.spawn(publish_into(*to, "in", soon(), waiting));
  scope.spawn(publish_into(*to, "out", soon(), refused));
  EXPECT_TRUE(waiting.empty());
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(code_of(refused[0]), ErrorCode::overloaded);
  queue().release_confirms();
  executor_.run_until([&] { return scope.running() == 0; });
  for (const auto& result : waiting) EXPECT_TRUE(result.has_value());
  EXPECT_EQ(texts(take_many(*from, contract_window)), std::vector<std::string>(contract_window, "in"));
  EXPECT_TRUE(publish(*to, {put("k", "again", 1)}).has_value()) << "the window opens again";
}

TEST_P(QueueContract, NoConfirmBeforeTheDeadlineIsUnknown) {
  const auto to = publisher();
  const auto from = consumer();
  queue().hold_confirms();
  std::vector<Result<void>> results;
  TaskScope scope(executor_);
  const MonotonicTime begun = MonotonicClock::now();
  scope.spawn(publish_into(*to, "perhaps", within(100ms), results));
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(code_of(results.front()), ErrorCode::outcome_unknown);
  EXPECT_LT(MonotonicClock::now() - begun, 3s);
  queue().release_confirms();
  EXPECT_EQ(texts(take_many(*from, 1)), std::vector<std::string>{"perhaps"});
}

TEST_P(QueueContract, ThePublishersEndEndsThoseWhoWait) {
  auto to = publisher();
  queue().hold_confirms();
  std::vector<Result<void>> results;
  TaskScope scope(executor_);
  scope.spawn(publish_into(*to, "perhaps", Deadline::none(), results));
  to.reset();
  executor_.run_until([&] { return scope.running() == 0; });
  ASSERT_EQ(results.size(), 1U);
  const Result<void>& result = results.front();
  // Known to be confirmed, or not known at all; but never 'certainly not there' for what may be there.
  EXPECT_TRUE(result || result.error().code == ErrorCode::outcome_unknown);
  queue().release_confirms();
}

TEST_P(QueueContract, WhatNoQueueTakesIsUnavailable) {
  const auto to = publisher();
  queue().close_partition_0();
  EXPECT_EQ(code_of(publish(*to, {put("k", "v", 1)})), ErrorCode::unavailable);
}

TEST_P(QueueContract, AFreshQueueIsHealthy) {
  const auto to = publisher();
  const auto from = consumer();
  EXPECT_TRUE(to->health().ok);
  EXPECT_NE(to->health().detail, "");
  EXPECT_TRUE(from->health().ok);
  EXPECT_NE(from->health().detail, "");
}

}  // namespace
}  // namespace armazem::test
