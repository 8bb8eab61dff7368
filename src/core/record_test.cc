#include "core/record.h"

#include <gtest/gtest.h>

#include <functional>
#include <string_view>

namespace armazem {
namespace {

constexpr std::size_t history_max = limits::history_entries_max;

Version version(std::uint64_t ms, std::uint64_t op) { return Version::make(Tick::from_ms(ms), OpId(op)); }

History history_of(std::uint64_t entries) {
  History history;
  for (std::uint64_t i = 1; i <= entries; ++i) history.push({version(i, 100 + i), Effect::replaced});
  return history;
}

Record live_record() {
  Record record;
  record.value = {"bytes", "text/plain", ValueForm::text};
  record.history = history_of(3);
  record.version = version(3, 103);
  return record;
}

Record tombstone() {
  Record record = live_record();
  record.value = {};
  record.tombstone = true;
  return record;
}

TEST(History, StartsEmpty) {
  const History history;
  EXPECT_TRUE(history.empty());
  EXPECT_FALSE(history.full());
  EXPECT_TRUE(history.entries().empty());
  EXPECT_EQ(history.find(OpId(0)), nullptr);  // unused places hold op id 0 and must not be looked at
}

TEST(History, KeepsItsEntriesOldestFirst) {
  const History history = history_of(3);
  ASSERT_EQ(history.entries().size(), 3U);
  EXPECT_EQ(history.entries().front().version, version(1, 101));
  EXPECT_EQ(history.entries().back().version, version(3, 103));
}

TEST(History, IsFullAtItsBoundAndNotBefore) {
  EXPECT_FALSE(history_of(history_max - 1).full());
  EXPECT_TRUE(history_of(history_max).full());
}

TEST(History, DropsTheOldestWhenFull) {
  const History history = history_of(history_max + 1);
  EXPECT_TRUE(history.full());
  EXPECT_EQ(history.entries().size(), history_max);
  EXPECT_EQ(history.entries().front().version, version(2, 102));
  EXPECT_EQ(history.entries().back().version, version(history_max + 1, 101 + history_max));
}

TEST(History, FindsEveryEntryItHoldsByOpIdAlone) {
  const History history = history_of(history_max + 1);
  EXPECT_EQ(history.find(OpId(101)), nullptr);
  for (std::uint64_t i = 2; i <= history_max + 1; ++i) {
    const HistoryEntry* found = history.find(OpId(100 + i));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->version, version(i, 100 + i));
  }
}

TEST(History, EqualityLooksAtEntriesEffectsAndNothingElse) {
  EXPECT_EQ(history_of(3), history_of(3));
  EXPECT_NE(history_of(3), history_of(4));
  History other = history_of(2);
  other.push({version(3, 103), Effect::deleted});
  EXPECT_NE(history_of(3), other);
}

TEST(HistoryDeathTest, AnEntryThatIsNotNewerEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  History history = history_of(3);
  EXPECT_DEATH(history.push({version(3, 103), Effect::replaced}), "broken invariant");
  EXPECT_DEATH(history.push({version(2, 200), Effect::replaced}), "broken invariant");
}

TEST(Record, LivesUntilTheMillisecondItExpires) {
  Record record = live_record();
  EXPECT_TRUE(record.live_at(~std::uint64_t{0}));
  record.expires_at_ms = 1000;
  EXPECT_TRUE(record.live_at(999));
  EXPECT_FALSE(record.live_at(1000));
  EXPECT_FALSE(record.live_at(1001));
}

TEST(Record, ATombstoneIsNeverLive) { EXPECT_FALSE(tombstone().live_at(0)); }

TEST(Record, WellFormedRecordsPassTheCheck) {
  EXPECT_TRUE(live_record().check());
  EXPECT_TRUE(tombstone().check());
  Record empty_value = live_record();
  empty_value.value = {};
  EXPECT_TRUE(empty_value.check());
  Record expiring = live_record();
  expiring.expires_at_ms = 5;
  EXPECT_TRUE(expiring.check());
}

struct Damage {
  std::string_view what;
  std::function<void(Record&)> apply;
};

TEST(Record, EveryBrokenInvariantFailsTheCheck) {
  const Damage of_any_record[] = {
      {"no history", [](Record& r) { r.history = {}; }},
      {"version newer than the last entry", [](Record& r) { r.version = version(4, 103); }},
      {"version older than the last entry", [](Record& r) { r.version = version(2, 102); }},
      {"version with another op id", [](Record& r) { r.version = version(3, 104); }},
  };
  const Damage of_a_tombstone[] = {
      {"value bytes", [](Record& r) { r.value.bytes = "x"; }},
      {"content type", [](Record& r) { r.value.content_type = "text/plain"; }},
      {"expiry", [](Record& r) { r.expires_at_ms = 7; }},
  };
  for (const Damage& damage : of_any_record) {
    Record record = live_record();
    damage.apply(record);
    EXPECT_FALSE(record.check()) << damage.what;
  }
  for (const Damage& damage : of_a_tombstone) {
    Record record = tombstone();
    damage.apply(record);
    EXPECT_FALSE(record.check()) << damage.what;
  }
}

TEST(Record, EqualityLooksAtEveryField) {
  const Damage changes[] = {
      {"value", [](Record& r) { r.value.bytes += "!"; }},
      {"content type", [](Record& r) { r.value.content_type = "a/b"; }},
      {"form", [](Record& r) { r.value.form = ValueForm::json; }},
      {"tombstone", [](Record& r) { r.tombstone = true; }},
      {"version", [](Record& r) { r.version = version(9, 9); }},
      {"expiry", [](Record& r) { r.expires_at_ms = 0; }},
      {"history", [](Record& r) { r.history = history_of(2); }},
  };
  EXPECT_EQ(live_record(), live_record());
  for (const Damage& change : changes) {
    Record record = live_record();
    change.apply(record);
    EXPECT_NE(record, live_record()) << change.what;
  }
}

}  // namespace
}  // namespace armazem
