// Known-good and known-bad histories of what is promised beside linearizability: sessions, the cache, validity of
// values, and the end.
#include <gtest/gtest.h>

#include "checker/histories.h"

namespace armazem::checker {
namespace {

// Times in these histories are seconds, those of the cache too.
CheckOptions in_seconds() {
  CheckOptions options;
  options.ttl_us = 60;
  options.margin_us = 5;
  return options;
}

Violation judged(const HistoryBuilder& made) { return check(made.history, in_seconds()).violation; }

// Sessions.

TEST(Session, SeesItsOwnWrite) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.put(20, 30, 2, 2);
  good.session(31, 32, 2, 2, 2);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.put(20, 30, 2, 2);
  bad.session(31, 32, 1, 1, 2);
  const Verdict verdict = check(bad.history, in_seconds());
  EXPECT_EQ(verdict.violation, Violation::session_stale);
  EXPECT_NE(verdict.why.find("own write"), std::string::npos);
  EXPECT_EQ(verdict.events, (std::vector<std::size_t>{1, 2}));
}

TEST(Session, DoesNotGoBackBehindWhatItRead) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1).client = 4;
  bad.put(20, 30, 2, 2).client = 4;
  bad.session(31, 32, 1, 1, 2);
  const Verdict verdict = check(bad.history, in_seconds());
  EXPECT_EQ(verdict.violation, Violation::session_stale);
  EXPECT_NE(verdict.why.find("goes back"), std::string::npos);
}

TEST(Session, MayBeBehindWhatItDidNotAskFor) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.put(20, 30, 2, 2);
  good.session(31, 32, 1, 1, 1);
  EXPECT_EQ(judged(good), Violation::none);
}

TEST(Session, FindsNothingOnlyBehindADelete) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.session(11, 12, 0, 0, 1);
  EXPECT_EQ(judged(bad), Violation::session_stale);
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.lost_remove(11);
  good.session(11, 12, 0, 0, 1);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder older_delete;
  older_delete.remove(0, 5, 1);
  older_delete.put(6, 10, 2, 2);
  older_delete.session(11, 12, 0, 0, 2);
  EXPECT_EQ(judged(older_delete), Violation::session_stale);
}

// The cache.

TEST(Cached, MayBeAsOldAsTheTimeToLiveAllows) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.put(20, 30, 2, 2);
  good.cached(95, 96, 1, 1);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.put(20, 30, 2, 2);
  bad.cached(96, 97, 1, 1);
  EXPECT_EQ(judged(bad), Violation::cache_stale);
}

TEST(Cached, NothingIsAsOldAsAnythingElse) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.cached(70, 71, 0);
  EXPECT_EQ(judged(good), Violation::none) << "'absent' may be cached, too";
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.cached(76, 77, 0);
  EXPECT_EQ(judged(bad), Violation::cache_stale);
  bad.remove(50, 60, 2);
  EXPECT_EQ(judged(bad), Violation::none);
}

TEST(Cached, ADeletedValueGoes) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.remove(20, 30, 2);
  bad.cached(96, 97, 1, 1);
  EXPECT_EQ(judged(bad), Violation::cache_stale);
}

TEST(Cached, WhatWasSeenCountsLikeWhatWasAcknowledged) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.lost_put(15, 2);
  bad.strong(20, 30, 2, 2);
  bad.cached(96, 97, 1, 1);
  EXPECT_EQ(judged(bad), Violation::cache_stale);
}

TEST(Cached, AcceptedIsNotApplied) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.accepted(20, 30, 2, 2);
  good.cached(96, 97, 1, 1);
  EXPECT_EQ(judged(good), Violation::none);
}

// Validity.

TEST(Values, SomebodyWroteThem) {
  HistoryBuilder strong;
  strong.put(0, 10, 1, 1);
  strong.strong(20, 30, 9, 2);
  EXPECT_EQ(judged(strong), Violation::invented_value);
  HistoryBuilder cached;
  cached.cached(20, 30, 9, 2);
  EXPECT_EQ(judged(cached), Violation::invented_value);
}

TEST(Values, OfARefusedWriteAreNeverSeen) {
  HistoryBuilder refused;
  refused.refused(0, 10, 1);
  refused.cached(20, 30, 1, 1);
  EXPECT_EQ(judged(refused), Violation::failed_write_seen);
  HistoryBuilder condition_failed;
  condition_failed.put(0, 10, 1, 1);
  condition_failed.condition_failed(20, 30, 2, 1).if_none_match = true;
  condition_failed.strong(40, 50, 2, 2);
  EXPECT_EQ(judged(condition_failed), Violation::failed_write_seen);
  HistoryBuilder superseded;
  superseded.accepted(0, 10, 1, 1).resolution = Resolution::superseded;
  superseded.cached(20, 30, 1, 1);
  EXPECT_EQ(judged(superseded), Violation::failed_write_seen);
}

TEST(Values, AreNotSeenBeforeTheyAreWritten) {
  HistoryBuilder bad;
  bad.put(20, 30, 1, 1);
  bad.cached(10, 15, 1, 1);
  EXPECT_EQ(judged(bad), Violation::read_from_future);
  HistoryBuilder good;
  good.put(20, 30, 1, 1);
  good.cached(10, 20, 1, 1);
  EXPECT_EQ(judged(good), Violation::none) << "the same microsecond may have been before and after";
}

TEST(Values, HaveOneVersion) {
  HistoryBuilder two_versions;
  two_versions.put(0, 10, 1, 1);
  two_versions.cached(20, 30, 1, 2);
  EXPECT_EQ(judged(two_versions), Violation::version_mismatch);
  HistoryBuilder two_writes;
  two_writes.put(0, 10, 1, 1);
  two_writes.put(0, 10, 2, 1);
  EXPECT_EQ(judged(two_writes), Violation::version_mismatch);
  HistoryBuilder applied_twice;  // a late copy of an unknown write was applied again
  applied_twice.lost_put(0, 1);
  applied_twice.strong(10, 20, 1, 1);
  applied_twice.put(30, 40, 2, 2);
  applied_twice.strong(50, 60, 1, 3);
  EXPECT_EQ(judged(applied_twice), Violation::version_mismatch);
}

TEST(Values, AnAcceptedWriteMayHaveBeenStampedAgain) {
  HistoryBuilder good;
  good.accepted(0, 10, 1, 1);
  good.strong(20, 30, 1, 0).version = version_of(5, 1);
  good.strong(40, 50, 1, 0).version = version_of(5, 1);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder other_operation;
  other_operation.accepted(0, 10, 1, 1);
  other_operation.strong(20, 30, 1, 5);
  EXPECT_EQ(judged(other_operation), Violation::version_mismatch);
  good.strong(60, 70, 1, 0).version = version_of(6, 1);
  EXPECT_EQ(judged(good), Violation::version_mismatch) << "but applied only once";
}

TEST(Values, AreUniqueOrTheHistoryIsNone) {
  HistoryBuilder twice;
  twice.put(0, 10, 1, 1);
  twice.put(20, 30, 1, 2);
  EXPECT_EQ(judged(twice), Violation::malformed);
  HistoryBuilder zero;
  zero.put(0, 10, 0, 1);
  EXPECT_EQ(judged(zero), Violation::malformed);
}

// The end.

TEST(End, HoldsTheLastAcknowledgedWrite) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.put(20, 30, 2, 2);
  good.end(2, 2);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder older;
  older.put(0, 10, 1, 1);
  older.put(20, 30, 2, 2);
  older.end(1, 1);
  EXPECT_EQ(judged(older), Violation::lost_write);
  HistoryBuilder nothing;
  nothing.put(0, 10, 1, 1);
  nothing.end(0, 0);
  EXPECT_EQ(judged(nothing), Violation::lost_write);
}

TEST(End, OrAnUnknownOne) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.lost_put(5, 2);
  good.end(2, 2);
  EXPECT_EQ(judged(good), Violation::none);
  HistoryBuilder before;
  before.lost_put(0, 2);
  before.strong(1, 2, 2, 1);
  before.put(5, 10, 1, 2);
  before.end(2, 1);
  EXPECT_EQ(judged(before), Violation::lost_write) << "the unknown write was replaced";
}

TEST(End, EveryAcceptedWriteIsDecided) {
  HistoryBuilder applied;
  applied.accepted(0, 10, 1, 1);
  applied.end(1, 1);
  EXPECT_EQ(judged(applied), Violation::none);
  HistoryBuilder replaced;
  replaced.accepted(0, 10, 1, 1);
  replaced.put(0, 10, 2, 2);
  replaced.end(2, 2);
  EXPECT_EQ(judged(replaced), Violation::none);
  HistoryBuilder lost;
  lost.put(0, 10, 1, 1);
  lost.accepted(20, 30, 2, 2);
  lost.end(1, 1);
  EXPECT_EQ(judged(lost), Violation::lost_write);
  HistoryBuilder pending;
  pending.put(0, 10, 1, 3);
  pending.accepted(20, 30, 2, 2).resolution = Resolution::pending;
  pending.end(1, 3);
  EXPECT_EQ(judged(pending), Violation::unresolved);
  CheckOptions running = in_seconds();
  running.drained = false;
  EXPECT_TRUE(check(pending.history, running).ok);
  EXPECT_TRUE(check(lost.history, running).ok);
}

TEST(End, WhatWasSaidToBeAppliedIsThere) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.accepted(20, 30, 2, 2).resolution = Resolution::applied;
  bad.end(1, 1);
  EXPECT_EQ(judged(bad), Violation::lost_write);
}

TEST(End, CacheAndStoreAgree) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  FinalState& same = good.end(1, 1);
  same.in_cache = true;
  same.cache_value = 1;
  same.cache_version = version_of(1);
  EXPECT_EQ(judged(good), Violation::none);
  same.cache_value = 0;
  same.cache_version = {};
  EXPECT_EQ(judged(good), Violation::diverged);
  same.cache_value = 1;
  same.cache_version = version_of(2);
  EXPECT_EQ(judged(good), Violation::diverged);
  same.in_cache = false;
  EXPECT_EQ(judged(good), Violation::none);
}

// The list of what the store applied, where there is one.

FinalState& with_applied(FinalState& state, std::vector<AppliedWrite> applied) {
  state.applied_known = true;
  state.applied = std::move(applied);
  return state;
}

TEST(Applied, IsWhatWasAcknowledgedAndNothingElse) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.remove(20, 30, 2);
  good.refused(30, 35, 7);
  good.lost_put(40, 3);
  good.lost_put(40, 4);
  with_applied(good.end(3, 3), {{version_of(1), 1}, {version_of(2), 0}, {version_of(3), 3}});
  EXPECT_EQ(judged(good), Violation::none);
  const auto with = [&](std::vector<AppliedWrite> applied) {
    HistoryBuilder bad = good;
    bad.history.finals.front().applied = std::move(applied);
    return judged(bad);
  };
  EXPECT_EQ(with({{version_of(2), 0}, {version_of(3), 3}}), Violation::lost_write);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(3), 3}}), Violation::lost_write);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(2), 0}, {version_of(3), 3}, {version_of(4), 3}}),
            Violation::applied_twice);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(2), 0}, {version_of(3), 3}, {version_of(4, 1), 1}}),
            Violation::applied_twice);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(2), 0}, {version_of(3), 7}}), Violation::failed_write_seen);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(2), 0}, {version_of(3), 99}}), Violation::invented_value);
  EXPECT_EQ(with({{version_of(2), 0}, {version_of(1), 1}, {version_of(3), 3}}), Violation::version_order);
  EXPECT_EQ(with({{version_of(1), 1}, {version_of(2), 0}, {version_of(5), 4}}), Violation::lost_write) << "another end";
}

TEST(Applied, SettlesTheUnknown) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.lost_remove(12);
  bad.strong(15, 16, 0);
  with_applied(bad.end(1, 1), {{version_of(1), 1}});
  EXPECT_FALSE(check(bad.history, in_seconds()).ok) << "nothing can have deleted it";
}

}  // namespace
}  // namespace armazem::checker
