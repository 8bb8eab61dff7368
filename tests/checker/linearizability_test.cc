// Known-good and known-bad histories of strong reads and writes, one promise each.
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/histories.h"

namespace armazem::checker {
namespace {

Violation judged(const HistoryBuilder& made, CheckOptions options = {}) {
  return check(made.history, options).violation;
}

CheckOptions values_only() {
  CheckOptions options;
  options.versions_order = false;
  return options;
}

TEST(Linearizability, EmptyIsGood) { EXPECT_TRUE(check({}).ok); }

TEST(Linearizability, AReadSeesTheWriteThatEndedBeforeIt) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.strong(20, 30, 1, 1);
  EXPECT_EQ(judged(good), Violation::none);
}

TEST(Linearizability, AStaleStrongReadIsFound) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.put(20, 30, 2, 2);
  bad.strong(40, 50, 1, 1);
  EXPECT_EQ(judged(bad), Violation::version_order);
  HistoryBuilder without_versions;
  without_versions.put(0, 10, 1, 0);
  without_versions.put(20, 30, 2, 0);
  without_versions.strong(40, 50, 1);
  const Verdict verdict = check(without_versions.history);
  EXPECT_EQ(verdict.violation, Violation::not_linearizable);
  EXPECT_EQ(verdict.events, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Linearizability, AnOverlappingReadMaySeeEither) {
  for (const std::uint64_t value : {1, 2}) {
    HistoryBuilder good;
    good.put(0, 10, 1, 0);
    good.put(20, 40, 2, 0);
    good.strong(25, 30, value);
    EXPECT_EQ(judged(good), Violation::none);
  }
}

TEST(Linearizability, TwoReadsDuringAWriteMayNotGoBack) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 0);
  bad.put(20, 90, 2, 0);
  bad.strong(30, 40, 2);
  bad.strong(50, 60, 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(Linearizability, AnUnknownWriteMayAppearLateAndStays) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.lost_put(20, 2);
  good.strong(30, 40, 1, 1);
  good.strong(50, 60, 2, 2);
  EXPECT_EQ(judged(good), Violation::none);
  good.strong(70, 80, 1, 1);
  EXPECT_EQ(judged(good), Violation::version_order);
  EXPECT_EQ(judged(good, values_only()), Violation::not_linearizable);
}

TEST(Linearizability, AnUnknownWriteMayNeverHappenButNotBeforeItBegan) {
  HistoryBuilder good;
  good.put(0, 10, 1, 0);
  good.lost_put(20, 2);
  good.strong(30, 40, 1);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  bad.strong(0, 10, 2);
  bad.lost_put(20, 2);
  EXPECT_EQ(judged(bad), Violation::read_from_future);
}

TEST(Linearizability, AnUnknownWriteCannotBeUndone) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 0);
  bad.lost_put(20, 2);
  bad.strong(30, 40, 2);
  bad.strong(50, 60, 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(Linearizability, ADeleteIsSeen) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.remove(20, 30, 2);
  good.strong(40, 50, 0);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  bad.put(0, 10, 1, 0);
  bad.remove(20, 30, 0);
  bad.strong(40, 50, 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(Linearizability, NothingIsThereOnlyBecauseOfADelete) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.strong(20, 30, 0);
  EXPECT_EQ(judged(bad), Violation::version_order);
  EXPECT_EQ(judged(bad, values_only()), Violation::not_linearizable);
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.lost_remove(15);
  good.strong(20, 30, 0);
  EXPECT_EQ(judged(good), Violation::none);
  EXPECT_EQ(judged(good, values_only()), Violation::none);
}

TEST(Linearizability, VersionsFollowRealTime) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 5);
  bad.put(20, 30, 2, 4);
  EXPECT_EQ(judged(bad), Violation::version_order);
  HistoryBuilder good;
  good.put(0, 25, 1, 5);
  good.put(20, 30, 2, 4);
  EXPECT_EQ(judged(good), Violation::none);
  good.strong(40, 50, 2, 4);
  EXPECT_EQ(judged(good), Violation::version_order);
}

// What the answers say of what was there before: 201 and 404 of nothing, 200 and 204 of something.
TEST(Linearizability, CreatedAndReplacedAreToldApart) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1, 201);
  good.put(20, 30, 2, 2, 200);
  good.remove(40, 50, 3, 204);
  good.remove(60, 70, 4, 404);
  good.put(80, 90, 5, 5, 201);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder created_twice;
  created_twice.put(0, 10, 1, 1, 201);
  created_twice.put(20, 30, 2, 2, 201);
  EXPECT_EQ(judged(created_twice), Violation::not_linearizable);
  HistoryBuilder replaced_nothing;
  replaced_nothing.remove(0, 10, 1, 404);
  replaced_nothing.put(20, 30, 2, 2, 200);
  EXPECT_EQ(judged(replaced_nothing), Violation::not_linearizable);
  HistoryBuilder deleted_twice;
  deleted_twice.put(0, 10, 1, 1, 201);
  deleted_twice.remove(20, 30, 2, 204);
  deleted_twice.remove(40, 50, 3, 204);
  EXPECT_EQ(judged(deleted_twice), Violation::not_linearizable);
  deleted_twice.lost_put(35, 9);
  EXPECT_EQ(judged(deleted_twice), Violation::none) << "the lost write explains it";
}

Event& on_version(Event& event, std::uint64_t tick) {
  event.conditional = true;
  event.if_match = version_of(tick);
  return event;
}

Event& if_absent(Event& event) {
  event.conditional = event.if_none_match = true;
  return event;
}

TEST(CompareAndSet, OnlyOneOfTwoSucceeds) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  on_version(good.put(20, 40, 2, 2), 1);
  on_version(good.condition_failed(25, 45, 3, 2), 1);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  on_version(bad.put(20, 40, 2, 2), 1);
  on_version(bad.put(25, 45, 3, 3), 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(CompareAndSet, FailsOnlyWhenItsConditionDoesNotHold) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  on_version(bad.condition_failed(20, 40, 2), 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
  bad.lost_put(15, 9);
  EXPECT_EQ(judged(bad), Violation::none) << "the lost write may have been in between";
}

TEST(CompareAndSet, TheVersionThatA412NamesWasThere) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.put(20, 30, 2, 2);
  on_version(bad.condition_failed(40, 50, 3, 1), 7);
  EXPECT_EQ(judged(bad), Violation::version_order);
  EXPECT_EQ(judged(bad, values_only()), Violation::not_linearizable);
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.put(20, 45, 2, 2);
  on_version(good.condition_failed(40, 50, 3, 1), 7);
  EXPECT_EQ(judged(good), Violation::none);
}

TEST(CompareAndSet, CreateOnly) {
  HistoryBuilder good;
  if_absent(good.put(0, 10, 1, 1));
  if_absent(good.condition_failed(20, 30, 2, 1));
  good.remove(40, 50, 3);
  if_absent(good.put(60, 70, 4, 4));
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  if_absent(bad.put(0, 10, 1, 1));
  if_absent(bad.put(20, 30, 2, 2));
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
  HistoryBuilder refused_for_nothing;
  if_absent(refused_for_nothing.condition_failed(0, 10, 1));
  EXPECT_EQ(judged(refused_for_nothing), Violation::not_linearizable);
}

TEST(CompareAndSet, IfThereIsAnything) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1).conditional = true;
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
  HistoryBuilder good;
  good.lost_put(0, 7);
  good.put(5, 10, 1, 1).conditional = true;
  EXPECT_EQ(judged(good), Violation::none);
}

// Simulation of research by the project: acknowledging what was superseded before it began loses it.
TEST(Linearizability, AnAcknowledgedWriteThatNobodyCanHaveSeenIsLost) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 0);
  bad.put(20, 30, 2, 0);
  bad.strong(40, 50, 1);
  bad.strong(40, 55, 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(Search, GivesUpAndSaysSo) {
  HistoryBuilder wide;
  for (std::uint64_t value = 1; value <= 14; ++value) wide.lost_put(0, value);
  for (std::uint64_t value = 1; value <= 14; ++value) wide.put(value, 1000, 100 + value, 0, 201);
  CheckOptions options;
  options.search_steps_max = 1000;
  const Verdict verdict = check(wide.history, options);
  EXPECT_FALSE(verdict.ok);
  EXPECT_EQ(verdict.violation, Violation::timed_out);
}

TEST(Search, TheExplanationHasOnlyWhatContradictsItself) {
  HistoryBuilder bad;
  for (std::uint64_t value = 1; value <= 50; ++value) {
    bad.put(value * 100, value * 100 + 10, value, 0);
    bad.strong(value * 100 + 20, value * 100 + 30, value);
  }
  bad.strong(6000, 6010, 49);
  const Verdict verdict = check(bad.history);
  EXPECT_EQ(verdict.violation, Violation::not_linearizable);
  EXPECT_LE(verdict.events.size(), 3U);
  EXPECT_NE(std::ranges::find(verdict.events, 100U), verdict.events.end());
}

TEST(Search, EveryKeyIsJudgedByItself) {
  HistoryBuilder made;
  made.put(0, 10, 1, 1).key = 7;
  made.strong(20, 30, 0).key = 8;
  EXPECT_EQ(judged(made), Violation::none);
  made.strong(20, 30, 0).key = 7;
  const Verdict verdict = check(made.history);
  EXPECT_EQ(verdict.key, 7U);
  EXPECT_EQ(check_all(made.history).size(), 1U);
}

}  // namespace
}  // namespace armazem::checker
