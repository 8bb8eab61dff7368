#include "core/record.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace armazem {
namespace {

constexpr std::size_t history_min = limits::history_entries_min;
constexpr std::size_t history_max = limits::history_entries_max;
constexpr auto window_ms = static_cast<std::uint64_t>(limits::history_window.count());

Version version(std::uint64_t ms, std::uint64_t op) { return Version::make(Tick::from_ms(ms), OpId(op)); }

// One entry per `step_ms`, from there on; the n-th has the op id 100 + n.
History history_of(std::uint64_t entries, std::uint64_t step_ms = 1) {
  History history;
  for (std::uint64_t i = 1; i <= entries; ++i) history.push({version(i * step_ms, 100 + i), Effect::replaced});
  return history;
}

// The op ids of the first and the last entry, which tell what was dropped.
std::pair<std::uint64_t, std::uint64_t> ends(const History& history) {
  return {history.entries().front().version.op().bits() - 100, history.entries().back().version.op().bits() - 100};
}
using Ends = std::pair<std::uint64_t, std::uint64_t>;

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

// The bytes of the entries of history_of, none of them dropped.
std::string stored(std::uint64_t entries, std::uint64_t step_ms = 1) {
  std::string bytes;
  for (std::uint64_t i = 1; i <= entries; ++i) {
    History one;
    one.push({version(i * step_ms, 100 + i), Effect::replaced});
    bytes += one.bytes();
  }
  return bytes;
}

TEST(History, StartsEmpty) {
  const History history;
  EXPECT_TRUE(history.empty());
  EXPECT_FALSE(history.has_dropped());
  EXPECT_TRUE(history.entries().empty());
  EXPECT_EQ(history.find(OpId(0)), nullptr);
}

TEST(History, KeepsItsEntriesOldestFirst) {
  const History history = history_of(3);
  ASSERT_EQ(history.entries().size(), 3U);
  EXPECT_EQ(history.entries().front().version, version(1, 101));
  EXPECT_EQ(history.entries().back().version, version(3, 103));
}

TEST(History, OfAColdKeyIsTheLastEight) {
  const History eight = history_of(history_min, window_ms + 1);
  EXPECT_EQ(ends(eight), Ends(1, history_min));
  EXPECT_FALSE(eight.has_dropped());
  const History nine = history_of(history_min + 1, window_ms + 1);
  EXPECT_EQ(ends(nine), Ends(2, history_min + 1));
  EXPECT_TRUE(nine.has_dropped());
  EXPECT_EQ(ends(history_of(100, window_ms + 1)), Ends(93, 100));
}

TEST(History, KeepsAllThatIsYoungUpToItsBound) {
  EXPECT_EQ(ends(history_of(history_max)), Ends(1, history_max));
  EXPECT_FALSE(history_of(history_max).has_dropped());
  EXPECT_EQ(ends(history_of(history_max + 1)), Ends(2, history_max + 1));
  EXPECT_TRUE(history_of(history_max + 1).has_dropped());
  EXPECT_EQ(ends(history_of(2 * history_max)), Ends(history_max + 1, 2 * history_max));
}

// Ten entries a millisecond apart and one more: the second of the ten decides whether the first may go.
TEST(History, DropsAnEntryWhenTheNextOneIsOlderThanTheWindow) {
  History history = history_of(10);
  history.push({version(2 + window_ms, 111), Effect::replaced});
  EXPECT_EQ(ends(history), Ends(1, 11));
  EXPECT_FALSE(history.has_dropped());
  history.push({version(3 + window_ms, 112), Effect::replaced});
  EXPECT_EQ(ends(history), Ends(2, 12));
  EXPECT_TRUE(history.has_dropped());
}

TEST(History, OfAHotKeyThatRestedIsTheLastEightAgain) {
  History history = history_of(300);
  history.push({version(1'000'000, 401), Effect::deleted});
  EXPECT_EQ(ends(history), Ends(294, 301));
  EXPECT_TRUE(history.has_dropped());
}

// Without the last entry from before the window nothing would prove that none is missing at its beginning.
TEST(History, OfAColdKeyThatGetsHotKeepsTheEntryBeforeTheWindow) {
  History history = history_of(20, window_ms + 1);
  const std::uint64_t hot_ms = 1'000'000;
  for (std::uint64_t i = 1; i <= 50; ++i) history.push({version(hot_ms + i, 120 + i), Effect::replaced});
  EXPECT_EQ(ends(history), Ends(20, 70));
}

TEST(History, OfBytesIsAsItWas) {
  for (const std::uint64_t entries : {1U, 8U, 9U, 512U}) {
    for (const std::uint64_t step_ms : {std::uint64_t{1}, window_ms + 1}) {
      for (const History& history : {history_of(entries, step_ms), history_of(entries + 600, step_ms)}) {
        EXPECT_EQ(history.bytes().size(), 17 * history.entries().size());
        EXPECT_EQ(History::from_bytes(history.bytes(), history.has_dropped()), history) << entries;
      }
    }
  }
  EXPECT_EQ(History::from_bytes("", false), History());
}

TEST(History, OfBytesKeepsWhatAPushWouldDrop) {
  const std::string bytes = stored(20, window_ms + 1);
  const auto history = History::from_bytes(bytes, false);
  ASSERT_TRUE(history.has_value());
  EXPECT_EQ(ends(*history), Ends(1, 20));
  EXPECT_FALSE(history->has_dropped());
}

TEST(History, OfWrongBytesIsNone) {
  const std::string bytes = stored(20);
  EXPECT_TRUE(History::from_bytes(bytes, true).has_value());
  const auto wrong = [&](std::size_t at, char value) {
    std::string changed = bytes;
    changed[at] = value;
    return History::from_bytes(changed, true);
  };
  EXPECT_EQ(wrong(17 * 5 + 6, '\x40'), std::nullopt) << "no version 7 UUID";
  EXPECT_EQ(wrong(17 * 5 + 8, '\x40'), std::nullopt) << "another variant";
  EXPECT_EQ(wrong(17 * 5 + 16, '\4'), std::nullopt) << "unknown effect";
  EXPECT_EQ(wrong(17 * 19 + 16, '\4'), std::nullopt) << "unknown effect";
  EXPECT_EQ(wrong(17 * 5, '\1'), std::nullopt) << "newer than the next";
  EXPECT_EQ(History::from_bytes(bytes.substr(0, 17) + bytes.substr(0, 17), false), std::nullopt) << "twice the same";
  EXPECT_EQ(History::from_bytes(bytes.substr(1), true), std::nullopt);
  EXPECT_EQ(History::from_bytes(bytes.substr(0, bytes.size() - 1), true), std::nullopt);
  EXPECT_EQ(History::from_bytes(bytes.substr(17 * 13), true), std::nullopt) << "too short to have dropped anything";
  EXPECT_TRUE(History::from_bytes(bytes.substr(17 * 12), true).has_value());
  EXPECT_TRUE(History::from_bytes(stored(512), true).has_value());
  EXPECT_EQ(History::from_bytes(stored(513), true), std::nullopt) << "too long";
}

TEST(History, SurvivesBeingMovedFromBothSidesOfItsInlineRoom) {
  for (const std::uint64_t entries : {8U, 9U}) {
    Record record;
    record.history = history_of(entries);
    const Record moved = std::move(record);
    EXPECT_EQ(moved.history, history_of(entries));
  }
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

TEST(History, EqualityLooksAtEntriesEffectsAndWhatWasDropped) {
  EXPECT_EQ(history_of(3), history_of(3));
  EXPECT_NE(history_of(3), history_of(4));
  History other = history_of(2);
  other.push({version(3, 103), Effect::deleted});
  EXPECT_NE(history_of(3), other);
  EXPECT_NE(History::from_bytes(stored(8), false), History::from_bytes(stored(8), true));
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
