#include "service/applier.h"

#include "service/cluster_fixture.h"

namespace armazem::test {
namespace {

using Mode = CacheWrite::Mode;
using Outcomes = Result<std::vector<Outcome>>;

class ApplierTest : public ClusterTest {
 protected:
  ApplierTest() {
    store_.after = [this] { order_.emplace_back("store"); };
    cache_.after_write = [this] { order_.emplace_back("cache"); };
  }
  Outcomes apply(std::vector<Mutation> mutations) {
    Outcomes outcomes = executor_.run(applier_.apply(std::move(mutations), {}, in_time()));
    order_.emplace_back("return");
    return outcomes;
  }
  // The store answers so, whatever it is asked.
  void store_says(std::vector<Outcome> outcomes) {
    store_.before = [outcomes](const auto&) -> std::optional<Outcomes> { return outcomes; };
  }

  Applier applier_{store_, &cache_, time_};
  Order order_;
};

TEST_F(ApplierTest, StoreThenCacheThenReturn) {
  ASSERT_TRUE(apply({put("k", "v", 1)}).has_value());
  EXPECT_EQ(order_, (Order{"store", "cache", "return"}));
  EXPECT_EQ(cached("k")->value.bytes, "v");
}

TEST_F(ApplierTest, TheCacheLearnsTheWholeStateButNotTheHistory) {
  ASSERT_TRUE(apply({expiring(put("k", "v", 1), 10'000), remove("gone", 2)}).has_value());
  ASSERT_EQ(cache_.told.size(), 2U);
  EXPECT_EQ(cache_.calls, 1U) << "one call for the whole batch";
  const auto with_history = stored("k");
  Record expected = *with_history;
  expected.history = {};
  EXPECT_EQ(cache_.told[0].key.text(), "k");
  EXPECT_EQ(cache_.told[0].record, expected);
  EXPECT_EQ(cache_.told[0].mode, Mode::put);
  EXPECT_EQ(cache_.told[1].key.text(), "gone");
  EXPECT_TRUE(cache_.told[1].record.tombstone);
  EXPECT_EQ(cache_.told[1].record.version, version(2, 2));
  EXPECT_TRUE(cached("gone")->tombstone);
}

// Whoever was paused after the transaction may bring what has been replaced meanwhile: it must not live anew.
TEST_F(ApplierTest, WhatTheCacheLearnsCountsFromBeforeTheTransaction) {
  const MonotonicTime before = time_.now();
  std::optional<MonotonicTime> committed;
  store_.after = [&] {
    time_.pass(std::chrono::seconds(5));
    committed = time_.now();
  };
  ASSERT_TRUE(apply({put("k", "v", 1)}).has_value());
  ASSERT_EQ(cache_.told.size(), 1U);
  EXPECT_GE(cache_.told[0].since, before);
  EXPECT_LE(cache_.told[0].since, *committed - std::chrono::seconds(5));
}

TEST_F(ApplierTest, NothingIsToldWhenNothingWasApplied) {
  given({put("k", "newer", 10)});
  const Mutation conditional = with(put("k", "w", 20), Condition::Kind::if_absent);
  const auto outcomes = apply({put("k", "late", 5), conditional}).value();
  EXPECT_EQ(outcomes[0].verdict, Verdict::superseded);
  EXPECT_EQ(outcomes[1].verdict, Verdict::condition_failed);
  store_says({{Verdict::indeterminate, {}, {}, version(9, 9), false},
              {Verdict::too_old, {}, {}, {}, false},
              {Verdict::refused, {}, {}, {}, false}});
  ASSERT_TRUE(apply({put("a", "v", 1), put("b", "v", 2), put("c", "v", 3)}).has_value());
  EXPECT_EQ(cache_.calls, 0U);
}

TEST_F(ApplierTest, OnlyWhatWasAppliedIsTold) {
  given({put("b", "newer", 10)});
  ASSERT_TRUE(apply({put("a", "1", 1), put("b", "late", 5), put("c", "3", 3)}).has_value());
  ASSERT_EQ(cache_.told.size(), 2U);
  EXPECT_EQ(cache_.told[0].key.text(), "a");
  EXPECT_EQ(cache_.told[0].record.value.bytes, "1");
  EXPECT_EQ(cache_.told[1].key.text(), "c");
  EXPECT_EQ(cache_.told[1].record.value.bytes, "3");
}

// A redelivery: the worker before may have died between store and cache. This copy's value is perhaps not the record's.
TEST_F(ApplierTest, AReplayRemovesWhatIsOlderThanTheRecord) {
  given({put("k", "mine", 1), put("k", "of another", 9)});
  given_cached(put("k", "before both", 0, 1));
  const auto outcomes = apply({put("k", "mine", 1)}).value();
  EXPECT_TRUE(outcomes[0].replayed);
  ASSERT_EQ(cache_.told.size(), 1U);
  EXPECT_EQ(cache_.told[0].mode, Mode::remove_older);
  EXPECT_EQ(cache_.told[0].record.version, version(9, 9)) << "the record's version, not the mutation's";
  EXPECT_FALSE(cached("k").has_value());
}

TEST_F(ApplierTest, AReplayLeavesWhatIsAsNewAsTheRecord) {
  given({put("k", "v", 9)});
  given_cached(put("k", "v", 9));
  ASSERT_TRUE(apply({put("k", "v", 9)}).has_value());
  EXPECT_EQ(cached("k")->value.bytes, "v");
}

// The record stands under a later stamp of the same operation than the copy that comes now.
TEST_F(ApplierTest, AReplayOfAnEarlierStampDoesNotPutItsOwnVersion) {
  given({put("k", "v", 9, 77)});
  ASSERT_TRUE(apply({put("k", "v", 1, 77)}).has_value());
  ASSERT_EQ(cache_.told.size(), 1U);
  EXPECT_EQ(cache_.told[0].mode, Mode::remove_older);
  EXPECT_FALSE(cached("k").has_value());
}

TEST_F(ApplierTest, WhatWasOvertakenInItsBatchIsNotTold) {
  const Outcome overtaken{Verdict::applied, Effect::created, version(1, 1), version(2, 2), false};
  store_says({overtaken, applied_at(version(2, 2), Effect::replaced)});
  ASSERT_TRUE(apply({put("k", "1", 1), put("k", "2", 2)}).has_value());
  ASSERT_EQ(cache_.told.size(), 1U);
  EXPECT_EQ(cache_.told[0].record.value.bytes, "2");
}

TEST_F(ApplierTest, OfSeveralWritesOfAKeyTheNewestStaysInTheCache) {
  const auto outcomes = apply({put("k", "3", 3), put("k", "1", 1), remove("k", 2)}).value();
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(stored_bytes("k"), "3");
  EXPECT_EQ(cached("k")->value.bytes, "3");
  EXPECT_EQ(cached("k")->version, version(3, 3));
}

TEST_F(ApplierTest, ErrorsOfTheStorePassAndTheCacheIsNotAsked) {
  faulty_.lose_answers(1);
  const auto outcomes = apply({put("k", "v", 1)});
  ASSERT_FALSE(outcomes.has_value());
  EXPECT_EQ(outcomes.error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(cache_.calls, 0U);
}

TEST_F(ApplierTest, GuardAndDeadlineReachTheStore) {
  const ApplyGuard guard{epoch_ms + 100};
  const auto outcomes = executor_.run(applier_.apply({put("k", "old", 1)}, guard, in_time())).value();
  EXPECT_EQ(outcomes[0].verdict, Verdict::too_old);
  const auto late = executor_.run(applier_.apply({put("k", "v", 200)}, guard, Deadline::at(time_.now())));
  EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
}

// A cache that is away --------------------------------------------------------------------------------------------------

TEST_F(ApplierTest, TheCacheIsAskedTwiceAndThenTheWriteGoesOn) {
  cache_memory_.break_down({ErrorCode::unavailable, "down"});
  const auto outcomes = apply({put("k", "v", 1)});
  ASSERT_TRUE(outcomes.has_value());
  EXPECT_EQ(outcomes->front(), applied_at(version(1, 1)));
  EXPECT_EQ(cache_.calls, 2U);
  EXPECT_EQ(applier_.cache_failures(), 1U);
}

TEST_F(ApplierTest, ASecondTryThatSucceedsIsNoFailure) {
  int calls = 0;
  cache_.before_write = [&]() -> std::optional<Result<void>> {
    if (++calls == 1) return fail(ErrorCode::unavailable, "moved");
    return std::nullopt;
  };
  ASSERT_TRUE(apply({put("k", "v", 1)}).has_value());
  EXPECT_EQ(applier_.cache_failures(), 0U);
  EXPECT_EQ(cached("k")->value.bytes, "v");
}

TEST_F(ApplierTest, ASlowCacheCostsItsTimeoutOnceAndNotMore) {
  cache_.slow = true;
  const MonotonicTime begun = time_.now();
  ASSERT_TRUE(apply({put("k", "v", 1)}).has_value());
  EXPECT_EQ(time_.now() - begun, ApplierOptions{}.cache_timeout);
  EXPECT_EQ(applier_.cache_failures(), 1U);
  EXPECT_EQ(stored_bytes("k"), "v");
}

TEST_F(ApplierTest, WithoutACacheTheStoresTaskIsPassedThrough) {
  Applier bare(memory_, nullptr, time_);
  Task<Outcomes> ready = bare.apply({put("k", "v", 1)}, {}, in_time());
  ASSERT_TRUE(ready.ready()) << "no coroutine frame of its own";
  EXPECT_EQ(ready.take_ready().value().front(), applied_at(version(1, 1)));
}

}  // namespace
}  // namespace armazem::test
