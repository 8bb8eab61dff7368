// One named case per rule of `apply` and per edge of it, in the order of its questions.
#include "core/apply.h"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace armazem {

// How a failing case shows an outcome.
void PrintTo(const Outcome& outcome, std::ostream* out) {
  static constexpr const char* verdicts[] = {"applied", "condition_failed", "superseded", "indeterminate", "too_old"};
  static constexpr const char* effects[] = {"created", "replaced", "deleted", "nothing_to_delete"};
  *out << verdicts[static_cast<int>(outcome.verdict)] << " effect=" << effects[static_cast<int>(outcome.effect)]
       << " version=" << outcome.version.text() << " current=" << outcome.current.text()
       << " replayed=" << outcome.replayed;
}

namespace {

constexpr std::uint64_t base_ms = 1'000'000;
constexpr auto window_ms = static_cast<std::uint64_t>(limits::history_window.count());
// Writes so far apart are never in one window.
constexpr std::uint64_t apart_ms = window_ms + 1;

// Times count from base_ms. Op ids default to something that no other version of the case has.
Version at(std::uint64_t ms, std::uint64_t op, std::uint64_t counter = 0) {
  return Version::make(Tick((base_ms + ms) << Tick::counter_bits | counter), OpId(op));
}
Version at(std::uint64_t ms) { return at(ms, 1000 + 10 * ms); }

Mutation put(Version version, std::string bytes = "value") {
  Value value{std::move(bytes), "text/plain", ValueForm::text};
  return Mutation{Mutation::Kind::put, Key::parse("key").value(), std::move(value), version, {}, {}};
}

Mutation remove(Version version) {
  return Mutation{Mutation::Kind::remove, Key::parse("key").value(), {}, version, {}, {}};
}

Mutation expiring(Mutation mutation, std::uint64_t ms) {
  mutation.expires_at_ms = base_ms + ms;
  return mutation;
}

Mutation on(Condition::Kind kind, Mutation mutation, Version expected = {}) {
  mutation.condition = {kind, expected};
  return mutation;
}

class ApplyTest : public testing::Test {
 protected:
  Applied run(Mutation mutation) { return apply(record_, std::move(mutation), guard_); }

  // `count` puts, one per millisecond from `first_ms` on.
  void write(std::uint64_t first_ms, std::uint64_t count, std::uint64_t step_ms = 1) {
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_TRUE(run(put(at(first_ms + i * step_ms))).changed);
  }
  // `count` puts, none of which is kept for its youth; the first at first_ms.
  void write_apart(std::uint64_t first_ms, std::uint64_t count) { write(first_ms, count, apart_ms); }

  void expect_applied(Mutation mutation, Effect effect) {
    const Version version = mutation.version;
    const Applied result = run(std::move(mutation));
    EXPECT_EQ(result.outcome, (Outcome{Verdict::applied, effect, version, version, false})) << version.text();
    EXPECT_TRUE(result.changed);
    ASSERT_TRUE(record_.has_value());
    EXPECT_EQ(record_->version, version);
    EXPECT_TRUE(record_->check());
  }

  // A call that must leave the record as it was.
  void expect_unchanged(Mutation mutation, Outcome expected) {
    const std::string version = mutation.version.text();
    const std::optional<Record> before = record_;
    const Applied result = run(std::move(mutation));
    EXPECT_EQ(result.outcome, expected) << version;
    EXPECT_FALSE(result.changed) << version;
    EXPECT_EQ(record_, before) << version;
  }

  void expect_replay(Mutation mutation, Effect first_effect, Version first_version) {
    expect_unchanged(std::move(mutation), {Verdict::applied, first_effect, first_version, record_->version, true});
  }
  void expect_superseded(Mutation mutation) {
    expect_unchanged(std::move(mutation), {Verdict::superseded, {}, {}, record_->version, false});
  }
  void expect_indeterminate(Mutation mutation) {
    expect_unchanged(std::move(mutation), {Verdict::indeterminate, {}, {}, record_->version, false});
  }
  void expect_condition_failed(Mutation mutation, Version current) {
    expect_unchanged(std::move(mutation), {Verdict::condition_failed, {}, {}, current, false});
  }

  std::optional<Record> record_;
  ApplyGuard guard_;
};

// 1. Is the op id known? ----------------------------------------------------------------------------------------------

class ApplyKnownOp : public ApplyTest {};

TEST_F(ApplyKnownOp, ReplayOfACreate) {
  run(put(at(1)));
  expect_replay(put(at(1)), Effect::created, at(1));
}

TEST_F(ApplyKnownOp, ReplayOfAReplace) {
  write(1, 2);
  expect_replay(put(at(2)), Effect::replaced, at(2));
}

TEST_F(ApplyKnownOp, ReplayOfADelete) {
  write(1, 1);
  run(remove(at(2)));
  expect_replay(remove(at(2)), Effect::deleted, at(2));
}

TEST_F(ApplyKnownOp, ReplayOfADeleteThatFoundNothing) {
  run(remove(at(1)));
  expect_replay(remove(at(1)), Effect::nothing_to_delete, at(1));
}

TEST_F(ApplyKnownOp, IsAnsweredAsTheFirstTimeAfterNewerWrites) {
  run(put(at(1)));
  run(remove(at(2)));
  run(put(at(3)));
  expect_replay(put(at(1)), Effect::created, at(1));
  expect_replay(remove(at(2)), Effect::deleted, at(2));
}

TEST_F(ApplyKnownOp, IsAskedBeforeNewer) {
  run(put(at(1, 7), "first"));
  run(put(at(2)));
  expect_replay(put(at(9, 7), "first"), Effect::created, at(1, 7));
}

TEST_F(ApplyKnownOp, WithAnOlderStampStandsUnderTheVersionThatWasApplied) {
  run(put(at(5, 7)));
  expect_replay(put(at(1, 7)), Effect::created, at(5, 7));
}

TEST_F(ApplyKnownOp, IsAskedBeforeTheCondition) {
  run(on(Condition::Kind::if_absent, put(at(1))));
  expect_replay(on(Condition::Kind::if_absent, put(at(1))), Effect::created, at(1));
}

TEST_F(ApplyKnownOp, IsAskedBeforeTheAge) {
  run(put(at(1)));
  guard_.purge_horizon_ms = base_ms + 100;
  expect_replay(put(at(1)), Effect::created, at(1));
}

TEST_F(ApplyKnownOp, IsRememberedByATombstone) {
  run(put(at(1)));
  run(remove(at(2)));
  ASSERT_TRUE(record_->tombstone);
  expect_replay(put(at(1)), Effect::created, at(1));
}

TEST_F(ApplyKnownOp, IsRememberedOverSevenNewerWrites) {
  write(1, 8);
  expect_replay(put(at(1)), Effect::created, at(1));
  expect_replay(put(at(50, at(1).op().bits())), Effect::created, at(1));
}

// The bounds of the promise: eight newer writes to one key push an operation out of its history, once it is older than the
// window; as many as the history can hold do at once.
TEST_F(ApplyKnownOp, IsForgottenAfterEightNewerWritesAndTheWindow) {
  write_apart(1, 9);
  expect_indeterminate(put(at(1)));
  expect_applied(put(at(9 * apart_ms, at(1).op().bits())), Effect::replaced);
}

TEST_F(ApplyKnownOp, IsRememberedOverHundredsOfNewerWritesWithinTheWindow) {
  write(1, limits::history_entries_max);
  expect_replay(put(at(1)), Effect::created, at(1));
  expect_replay(put(at(5000, at(1).op().bits())), Effect::created, at(1));
  write(1000, 1);
  expect_indeterminate(put(at(1)));
  expect_applied(put(at(5000, at(1).op().bits())), Effect::replaced);
}

// 2. Newer, or no record: the effect ----------------------------------------------------------------------------------

class ApplyNewer : public ApplyTest {};

TEST_F(ApplyNewer, PutWithoutARecordCreates) { expect_applied(put(at(1)), Effect::created); }

TEST_F(ApplyNewer, PutOverALiveValueReplaces) {
  write(1, 1);
  expect_applied(put(at(2)), Effect::replaced);
}

TEST_F(ApplyNewer, PutOverATombstoneCreates) {
  write(1, 1);
  run(remove(at(2)));
  expect_applied(put(at(3)), Effect::created);
}

TEST_F(ApplyNewer, DeleteOfALiveValueDeletes) {
  write(1, 1);
  expect_applied(remove(at(2)), Effect::deleted);
}

TEST_F(ApplyNewer, DeleteOfATombstoneFindsNothing) {
  write(1, 1);
  run(remove(at(2)));
  expect_applied(remove(at(3)), Effect::nothing_to_delete);
}

TEST_F(ApplyNewer, DeleteWithoutARecordLeavesATombstoneThatStopsOlderPuts) {
  expect_applied(remove(at(5)), Effect::nothing_to_delete);
  EXPECT_TRUE(record_->tombstone);
  expect_superseded(put(at(4)));
}

TEST_F(ApplyNewer, ByOneCounterStepIsNewer) {
  run(put(at(1, 9, 3)));
  expect_applied(put(at(1, 8, 4)), Effect::replaced);
}

TEST_F(ApplyNewer, AtTheSameTickTheOpIdDecides) {
  run(put(at(1, 8)));
  expect_superseded(put(at(1, 7)));
  expect_applied(put(at(1, 9)), Effect::replaced);
}

TEST_F(ApplyNewer, PutStoresEverythingItCarries) {
  Mutation mutation = expiring(put(at(1)), 99);
  mutation.value = {"{\"a\":1}", "application/json", ValueForm::json};
  run(mutation);
  EXPECT_EQ(record_->value, mutation.value);
  EXPECT_EQ(record_->expires_at_ms, base_ms + 99);
  EXPECT_FALSE(record_->tombstone);
}

TEST_F(ApplyNewer, PutLeavesNothingOfTheRecordBefore) {
  run(expiring(put(at(1)), 99));
  run(put(at(2), "new"));
  EXPECT_EQ(record_->expires_at_ms, std::nullopt);
  run(remove(at(3)));
  run(put(at(4), "newest"));
  EXPECT_FALSE(record_->tombstone);
  EXPECT_EQ(record_->value.bytes, "newest");
}

TEST_F(ApplyNewer, DeleteDropsValueAndExpiryAndKeepsTheHistory) {
  run(expiring(put(at(1)), 99));
  run(remove(at(2)));
  EXPECT_TRUE(record_->tombstone);
  EXPECT_EQ(record_->value, Value());
  EXPECT_EQ(record_->expires_at_ms, std::nullopt);
  EXPECT_EQ(record_->history.entries().size(), 2U);
}

TEST_F(ApplyNewer, TheHistoryHoldsTheLastEightWithTheirEffects) {
  run(remove(at(1)));
  run(put(at(2 * apart_ms)));
  run(remove(at(3 * apart_ms)));
  write_apart(4 * apart_ms, 6);
  const auto entries = record_->history.entries();
  ASSERT_EQ(entries.size(), 8U);
  EXPECT_EQ(entries[0], (HistoryEntry{at(2 * apart_ms), Effect::created}));
  EXPECT_EQ(entries[1], (HistoryEntry{at(3 * apart_ms), Effect::deleted}));
  EXPECT_EQ(entries[2], (HistoryEntry{at(4 * apart_ms), Effect::created}));
  EXPECT_EQ(entries[7], (HistoryEntry{at(9 * apart_ms), Effect::replaced}));
}

TEST_F(ApplyNewer, TheHistoryHoldsAllThatIsYoung) {
  run(remove(at(1)));
  write(2, 100);
  const auto entries = record_->history.entries();
  ASSERT_EQ(entries.size(), 101U);
  EXPECT_EQ(entries[0], (HistoryEntry{at(1), Effect::nothing_to_delete}));
  EXPECT_EQ(entries[1], (HistoryEntry{at(2), Effect::created}));
  EXPECT_EQ(entries[100], (HistoryEntry{at(101), Effect::replaced}));
}

// 2. Newer, or no record: empty and absent are two things -------------------------------------------------------------

class ApplyEmptyValue : public ApplyTest {
 protected:
  void SetUp() override { run(put(at(1), "")); }
};

TEST_F(ApplyEmptyValue, IsAValue) {
  EXPECT_FALSE(record_->tombstone);
  EXPECT_TRUE(record_->live_at(base_ms + 1));
}
TEST_F(ApplyEmptyValue, IsReplaced) { expect_applied(put(at(2)), Effect::replaced); }
TEST_F(ApplyEmptyValue, IsDeleted) { expect_applied(remove(at(2)), Effect::deleted); }
TEST_F(ApplyEmptyValue, IsPresentForConditions) {
  expect_condition_failed(on(Condition::Kind::if_absent, put(at(2))), at(1));
  expect_applied(on(Condition::Kind::if_present, put(at(2))), Effect::replaced);
}

// 2. Newer, or no record: expiry is judged at the mutation's own stamp ------------------------------------------------

class ApplyExpiry : public ApplyTest {
 protected:
  void SetUp() override { run(expiring(put(at(1)), 10)); }
};

TEST_F(ApplyExpiry, APutOneMillisecondBeforeReplaces) { expect_applied(put(at(9, 5, 4095)), Effect::replaced); }
TEST_F(ApplyExpiry, APutAtTheMillisecondCreates) { expect_applied(put(at(10)), Effect::created); }
TEST_F(ApplyExpiry, ADeleteOneMillisecondBeforeDeletes) { expect_applied(remove(at(9)), Effect::deleted); }
TEST_F(ApplyExpiry, ADeleteAtTheMillisecondFindsNothing) { expect_applied(remove(at(10)), Effect::nothing_to_delete); }

TEST_F(ApplyExpiry, AnExpiredRecordStillKnowsItsHistory) {
  expect_replay(put(at(1)), Effect::created, at(1));
  expect_superseded(put(at(1, 5)));
}

TEST_F(ApplyExpiry, AValueThatWasNeverLiveIsStillStored) {
  expect_applied(expiring(put(at(20)), 5), Effect::created);
  EXPECT_FALSE(record_->live_at(base_ms + 20));
  expect_applied(put(at(21)), Effect::created);
}

// 2. Newer, or no record: the condition -------------------------------------------------------------------------------

struct ConditionCase {
  const char* state;
  bool live;
};

// Leaves a record of that kind, at version at(2), which a mutation stamped at(20) then meets.
class ApplyCondition : public ApplyTest, public testing::WithParamInterface<ConditionCase> {
 protected:
  void SetUp() override {
    const std::string state = GetParam().state;
    if (state == "Live") run(put(at(2)));
    if (state == "NotYetExpired") run(expiring(put(at(2)), 21));
    if (state == "Tombstone") run(remove(at(2)));
    if (state == "Expired") run(expiring(put(at(2)), 20));
  }
  [[nodiscard]] bool live() const { return GetParam().live; }

  void expect_decided(const Mutation& mutation, bool holds) {
    if (!holds) return expect_condition_failed(mutation, live() ? at(2) : Version());
    expect_applied(mutation, live() ? Effect::replaced : Effect::created);
  }
};

INSTANTIATE_TEST_SUITE_P(States, ApplyCondition,
                         testing::Values(ConditionCase{"NoRecord", false}, ConditionCase{"Live", true},
                                         ConditionCase{"NotYetExpired", true}, ConditionCase{"Tombstone", false},
                                         ConditionCase{"Expired", false}),
                         [](const auto& instance) { return std::string(instance.param.state); });

TEST_P(ApplyCondition, NoneAlwaysHolds) { expect_decided(put(at(20)), true); }
TEST_P(ApplyCondition, IfAbsent) { expect_decided(on(Condition::Kind::if_absent, put(at(20))), !live()); }
TEST_P(ApplyCondition, IfPresent) { expect_decided(on(Condition::Kind::if_present, put(at(20))), live()); }
TEST_P(ApplyCondition, IfVersionOfTheRecord) {
  expect_decided(on(Condition::Kind::if_version, put(at(20)), at(2)), live());
}
TEST_P(ApplyCondition, IfAnotherVersion) { expect_decided(on(Condition::Kind::if_version, put(at(20)), at(3)), false); }
TEST_P(ApplyCondition, IfTheNilVersionNeverHolds) {
  expect_decided(on(Condition::Kind::if_version, put(at(20)), Version()), false);
}
TEST_P(ApplyCondition, GuardsDeletesToo) {
  const Mutation mutation = on(Condition::Kind::if_present, remove(at(20)));
  if (live()) expect_applied(mutation, Effect::deleted);
  else expect_condition_failed(mutation, Version());
}

// The same op may succeed later: that is why a conditional write must never be redelivered.
TEST_F(ApplyTest, AFailedConditionIsNotRemembered) {
  run(put(at(1)));
  expect_condition_failed(on(Condition::Kind::if_absent, put(at(5))), at(1));
  run(remove(at(2)));
  expect_applied(on(Condition::Kind::if_absent, put(at(5))), Effect::created);
}

TEST_F(ApplyTest, AFailedConditionWithoutARecordCreatesNone) {
  expect_condition_failed(on(Condition::Kind::if_present, put(at(5))), Version());
  EXPECT_FALSE(record_.has_value());
}

TEST_F(ApplyTest, TheVersionOfAnOlderValueDoesNotMatch) {
  write(1, 2);
  expect_condition_failed(on(Condition::Kind::if_version, put(at(3)), at(1)), at(2));
}

// 3. and 4. Not newer: proved never applied, or unknown ---------------------------------------------------------------

class ApplyNotNewer : public ApplyTest {};

TEST_F(ApplyNotNewer, WithAHistoryNotYetFullIsSuperseded) {
  run(put(at(5)));
  expect_superseded(put(at(4)));
  expect_superseded(put(at(0)));
}

TEST_F(ApplyNotNewer, WhileNothingWasDroppedEverythingIsKnown) {
  write_apart(10, 8);
  expect_superseded(put(at(0)));
  write(8 * apart_ms + 10, 500);
  expect_indeterminate(put(at(0)));
}

TEST_F(ApplyNotNewer, WhileNothingWasDroppedFromAHotKeyEverythingIsKnown) {
  write(10, limits::history_entries_max);
  expect_superseded(put(at(0)));
  write(600, 1);
  expect_indeterminate(put(at(0)));
}

TEST_F(ApplyNotNewer, WhatIsOlderThanTheOldestIsIndeterminate) {
  write_apart(0, 9);
  expect_indeterminate(put(at(0, 5)));
  expect_indeterminate(put(at(apart_ms - 1, 5, 4095)));
}

TEST_F(ApplyNotNewer, TheOldestIsTheExactBoundary) {
  write_apart(0, 9);
  const std::uint64_t oldest_op = at(apart_ms).op().bits();
  expect_indeterminate(put(at(apart_ms, oldest_op - 1)));
  expect_superseded(put(at(apart_ms, oldest_op + 1)));
}

TEST_F(ApplyNotNewer, TheBoundaryMovesWithEveryWrite) {
  write_apart(0, 9);
  expect_superseded(put(at(apart_ms, 500'000)));
  write_apart(9 * apart_ms, 1);
  expect_indeterminate(put(at(apart_ms, 500'000)));
  expect_superseded(put(at(2 * apart_ms, 500'000)));
}

TEST_F(ApplyNotNewer, BetweenTwoEntriesIsSuperseded) {
  write_apart(0, 9);
  expect_superseded(put(at(3 * apart_ms + 5, 5)));
}

// What a queue does to a hot key: more newer versions than a cold key's history holds get ahead of a write.
TEST_F(ApplyNotNewer, OvertakenByHundredsOfNewerWritesIsSuperseded) {
  write_apart(0, 20);
  const std::uint64_t hot_ms = 20 * apart_ms;
  write(hot_ms + 1, 400);
  expect_superseded(put(at(hot_ms)));
  expect_superseded(put(at(hot_ms + 200, 5)));
}

TEST_F(ApplyNotNewer, UpToTheWindowLateIsSupersededHoweverTheKeyIsWritten) {
  write_apart(0, 20);
  const std::uint64_t hot_ms = 20 * apart_ms;
  for (std::uint64_t ms = hot_ms; ms < hot_ms + 3 * window_ms; ms += 100) {
    write(ms, 1);
    expect_superseded(put(at(ms - window_ms, 5)));
  }
  expect_indeterminate(put(at(hot_ms, 5)));
}

// Two servers, five seconds apart, in turns. The slow one's write is stamped again above the other's.
TEST_F(ApplyNotNewer, OfAServerWhoseClockIsBehindIsSupersededEveryTime) {
  constexpr std::uint64_t skew_ms = 5'000;
  write_apart(0, 20);
  for (std::uint64_t ms = 20 * apart_ms; ms < 20 * apart_ms + 20'000; ms += 100) {
    write(ms + skew_ms, 1);
    const std::uint64_t op = 500'000 + ms;
    expect_superseded(put(at(ms, op)));
    expect_applied(put(Version::make(record_->version.tick().next(), OpId(op))), Effect::replaced);
    expect_replay(put(at(ms, op)), Effect::replaced, record_->version);
  }
}

TEST_F(ApplyNotNewer, UnderATombstoneIsSuperseded) {
  run(remove(at(5)));
  expect_superseded(put(at(4)));
  expect_superseded(remove(at(3)));
}

TEST_F(ApplyNotNewer, IsAskedBeforeTheCondition) {
  run(put(at(5)));
  expect_superseded(on(Condition::Kind::if_absent, put(at(4))));
  expect_superseded(on(Condition::Kind::if_version, put(at(4)), at(5)));
}

TEST_F(ApplyNotNewer, StampedAgainAboveTheRecordIsApplied) {
  run(put(at(5)));
  const Applied first = run(put(at(4, 7)));
  ASSERT_EQ(first.outcome.verdict, Verdict::superseded);
  expect_applied(put(Version::make(first.outcome.current.tick().next(), OpId(7))), Effect::replaced);
  expect_replay(put(at(4, 7)), Effect::replaced, record_->version);
}

// What a purge may have removed is no proof ---------------------------------------------------------------------------

class ApplyPurgeHorizon : public ApplyTest {
 protected:
  void SetUp() override { guard_.purge_horizon_ms = base_ms + 100; }
};

TEST_F(ApplyPurgeHorizon, WithoutARecordWhatIsOlderIsSetAside) {
  expect_unchanged(put(at(99, 5, 4095)), {Verdict::too_old, {}, {}, {}, false});
  expect_unchanged(remove(at(0)), {Verdict::too_old, {}, {}, {}, false});
  EXPECT_FALSE(record_.has_value());
}

TEST_F(ApplyPurgeHorizon, AgeIsAskedBeforeTheCondition) {
  expect_unchanged(on(Condition::Kind::if_present, put(at(99))), {Verdict::too_old, {}, {}, {}, false});
}

TEST_F(ApplyPurgeHorizon, WithoutARecordTheMillisecondItselfIsYoungEnough) {
  expect_applied(put(at(100)), Effect::created);
}

TEST_F(ApplyPurgeHorizon, ZeroSwitchesTheGuardOff) {
  guard_.purge_horizon_ms = 0;
  expect_applied(put(Version::make(Tick(), OpId(1))), Effect::created);
}

TEST_F(ApplyPurgeHorizon, ANewerMutationOfAnExistingRecordIsNeverTooOld) {
  guard_.purge_horizon_ms = 0;
  write(1, 1);
  guard_.purge_horizon_ms = base_ms + 100;
  expect_applied(put(at(50)), Effect::replaced);
}

TEST_F(ApplyPurgeHorizon, AShortHistoryProvesNothingBeforeTheHorizon) {
  write(200, 3);
  expect_indeterminate(put(at(99, 5, 4095)));
  expect_superseded(put(at(100, 5)));
}

TEST_F(ApplyPurgeHorizon, ALongHistoryFromTheStartProvesNothingBeforeTheHorizonEither) {
  write(200, 100);
  expect_indeterminate(put(at(99, 5, 4095)));
  expect_superseded(put(at(100, 5)));
}

TEST_F(ApplyPurgeHorizon, AHistoryThatHasDroppedIsItsOwnProof) {
  guard_.purge_horizon_ms = 0;
  write_apart(0, 9);
  guard_.purge_horizon_ms = base_ms + 2 * apart_ms;
  expect_superseded(put(at(apart_ms, 500'000)));
  expect_indeterminate(put(at(apart_ms - 1, 500'000)));
}

// The order of a batch ------------------------------------------------------------------------------------------------

Mutation of_key(std::string key, Version version) {
  Mutation mutation = put(version);
  mutation.key = Key::parse(std::move(key)).value();
  return mutation;
}

TEST(BatchOrder, OfNothingIsEmpty) { EXPECT_TRUE(batch_order({}).empty()); }

TEST(BatchOrder, IsByKeyThenByVersion) {
  const std::vector<Mutation> batch = {of_key("b", at(1)), of_key("a", at(9)), of_key("\u00e9", at(0)), of_key("a", at(2)),
                                       of_key("ab", at(0)), of_key("a", at(2, 1))};
  EXPECT_EQ(batch_order(batch), (std::vector<std::uint32_t>{5, 3, 1, 4, 0, 2}));
}

TEST(BatchOrder, DuplicatesStayInTheOrderOfArrival) {
  std::vector<Mutation> batch;
  for (int i = 0; i < 100; ++i) batch.push_back(of_key("a", at(i % 2 == 0 ? 2 : 1)));
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 1; i < 100; i += 2) expected.push_back(i);
  for (std::uint32_t i = 0; i < 100; i += 2) expected.push_back(i);
  EXPECT_EQ(batch_order(batch), expected);
}

}  // namespace
}  // namespace armazem
