// The contract of Store::apply: every verdict and effect, and that the outcome is what get sees.
#include <algorithm>

#include "contract/store_contract.h"

namespace armazem::test {
namespace {

TEST_P(StoreContract, AbsentIsNotEmpty) {
  EXPECT_EQ(get("k"), std::nullopt);
  apply_one(put("k", "", 1));
  const auto record = get("k");
  ASSERT_TRUE(record.has_value());
  EXPECT_FALSE(record->tombstone);
  EXPECT_EQ(record->value.bytes, "");
}

TEST_P(StoreContract, PutAndRemoveSayWhatTheyDid) {
  EXPECT_EQ(apply_one(put("k", "a", 1)), applied(Effect::created, version(1, 1)));
  EXPECT_EQ(apply_one(put("k", "b", 2)), applied(Effect::replaced, version(2, 2)));
  EXPECT_EQ(bytes("k"), "b");
  EXPECT_EQ(apply_one(remove("k", 3)), applied(Effect::deleted, version(3, 3)));
  EXPECT_EQ(apply_one(remove("k", 4)), applied(Effect::nothing_to_delete, version(4, 4)));
  EXPECT_EQ(apply_one(put("k", "c", 5)), applied(Effect::created, version(5, 5)));
  EXPECT_EQ(apply_one(remove("never", 6)), applied(Effect::nothing_to_delete, version(6, 6)));
}

TEST_P(StoreContract, GetReturnsTheWholeRecord) {
  Mutation mutation = expiring(put("k", "{\"a\":1}", 1), 500);
  mutation.value.content_type = "application/vnd.example+json; charset=\"utf-8\"";
  mutation.value.form = ValueForm::json;
  apply_one(mutation);
  const auto record = get("k");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->value, mutation.value);
  EXPECT_EQ(record->version, version(1, 1));
  EXPECT_EQ(record->expires_at_ms, epoch_ms + 500);
  ASSERT_EQ(record->history.entries().size(), 1U);
  EXPECT_EQ(record->history.entries()[0], (HistoryEntry{version(1, 1), Effect::created}));
  EXPECT_TRUE(record->check());
}

TEST_P(StoreContract, ATombstoneIsReturnedWithItsHistory) {
  apply_one(expiring(put("k", "a", 1), 500));
  apply_one(remove("k", 2));
  const auto record = get("k");
  ASSERT_TRUE(record.has_value());
  EXPECT_TRUE(record->tombstone);
  EXPECT_EQ(record->value, Value());
  EXPECT_EQ(record->expires_at_ms, std::nullopt);
  EXPECT_EQ(record->history.entries().size(), 2U);
}

// Writes so far apart are never in one window of the history.
constexpr std::uint64_t apart_ms = limits::history_window.count() + 1;

TEST_P(StoreContract, HistoryOfAColdKeyKeepsTheLastEight) {
  for (std::uint64_t n = 1; n <= 12; ++n) apply_one(put("k", std::to_string(n), n * apart_ms, n));
  const auto record = get("k");
  const auto history = record->history.entries();
  ASSERT_EQ(history.size(), limits::history_entries_min);
  EXPECT_TRUE(record->history.has_dropped());
  EXPECT_EQ(history.front().version, version(5 * apart_ms, 5));
  EXPECT_EQ(history.back().version, version(12 * apart_ms, 12));
}

TEST_P(StoreContract, HistoryOfEightRemembersWhetherItWasLonger) {
  for (std::uint64_t n = 1; n <= limits::history_entries_min; ++n) apply_one(put("k", "v", n * apart_ms, n));
  EXPECT_FALSE(get("k")->history.has_dropped());
  EXPECT_EQ(apply_one(put("k", "old", 1, 999)).verdict, Verdict::superseded);
  apply_one(put("k", "v", 9 * apart_ms, 9));
  EXPECT_TRUE(get("k")->history.has_dropped());
  EXPECT_EQ(apply_one(put("k", "old", 1, 999)).verdict, Verdict::indeterminate);
}

TEST_P(StoreContract, HistoryOfAHotKeyKeepsTheWindow) {
  for (std::uint64_t ms = 1; ms <= 12; ++ms) apply_one(remove("k", ms));
  std::vector<Mutation> batch;
  for (std::uint64_t ms = 13; ms <= 300; ++ms) batch.push_back(put("k", std::to_string(ms), ms));
  apply(batch);
  auto history = get("k")->history;
  ASSERT_EQ(history.entries().size(), 300U);
  EXPECT_FALSE(history.has_dropped());
  for (std::uint64_t ms = 1; ms <= 300; ++ms) {
    const Effect effect = ms <= 12 ? Effect::nothing_to_delete : ms == 13 ? Effect::created : Effect::replaced;
    ASSERT_EQ(history.entries()[ms - 1], (HistoryEntry{version(ms, ms), effect})) << ms;
  }
  EXPECT_EQ(apply_one(remove("k", 1)),
            (Outcome{Verdict::applied, Effect::nothing_to_delete, version(1, 1), version(300, 300), true}));
  EXPECT_EQ(apply_one(put("k", "late", 20, 999)).verdict, Verdict::superseded);

  apply_one(put("k", "much later", 300 + apart_ms));
  history = get("k")->history;
  ASSERT_EQ(history.entries().size(), limits::history_entries_min);
  EXPECT_TRUE(history.has_dropped());
  EXPECT_EQ(history.entries().front().version, version(294, 294));
  EXPECT_EQ(bytes("k"), "much later");
}

TEST_P(StoreContract, HistoryOfTheHottestKeyKeepsItsLastOnes) {
  constexpr std::uint64_t last = 2 * limits::history_entries_max + 7;
  for (std::uint64_t ms = 1; ms <= last;) {
    std::vector<Mutation> batch;
    while (batch.size() < 100 && ms <= last) batch.push_back(put("k", "v", ms++));
    apply(batch);
  }
  const auto history = get("k")->history;
  ASSERT_EQ(history.entries().size(), limits::history_entries_max);
  EXPECT_TRUE(history.has_dropped());
  const std::uint64_t first = last - limits::history_entries_max + 1;
  EXPECT_EQ(history.entries().front().version, version(first, first));
  EXPECT_EQ(apply_one(put("k", "old", first - 1)).verdict, Verdict::indeterminate);
  EXPECT_EQ(apply_one(put("k", "old", first, last + 1)).verdict, Verdict::superseded);
}

TEST_P(StoreContract, AnyBytesAreKept) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte.push_back(static_cast<char>(c));
  const std::string large(limits::value_bytes_default, 'x');
  const std::string long_key(limits::key_bytes_max, 'k');
  apply({put("bytes", every_byte, 1), put("large", large, 2), put(long_key, "v", 3), put("açaí/☕", "v", 4)});
  EXPECT_EQ(bytes("bytes"), every_byte);
  EXPECT_EQ(bytes("large"), large);
  EXPECT_EQ(bytes(long_key), "v");
  EXPECT_EQ(bytes("açaí/☕"), "v");
}

TEST_P(StoreContract, ContentTypesAndFormsAreKept) {
  const std::vector<std::string> types = {"",
                                          "application/json",
                                          "text/plain",
                                          "image/png",
                                          "x/y",
                                          "TEXT/HTML",
                                          std::string(limits::content_type_bytes_max, 't')};
  std::uint64_t ms = 1;
  for (const std::string& type : types) {
    for (const ValueForm form : {ValueForm::bytes, ValueForm::text, ValueForm::json}) {
      Mutation mutation = put("k", "v", ms++);
      mutation.value.content_type = type;
      mutation.value.form = form;
      apply_one(mutation);
      EXPECT_EQ(get("k")->value, mutation.value) << type;
    }
  }
}

TEST_P(StoreContract, ReplayIsAnsweredAsTheFirstTime) {
  apply_one(put("k", "a", 1, 77));
  apply_one(put("k", "b", 2));
  // A redelivery, and a retry that was stamped anew: the op id names the request.
  for (const std::uint64_t ms : {1U, 9U}) {
    const Outcome again = apply_one(put("k", "a", ms, 77));
    EXPECT_EQ(again, (Outcome{Verdict::applied, Effect::created, version(1, 77), version(2, 2), true}));
  }
  EXPECT_EQ(bytes("k"), "b");
  EXPECT_EQ(get("k")->history.entries().size(), 2U);
}

TEST_P(StoreContract, OlderIsSupersededWhileTheHistoryProvesIt) {
  apply_one(put("k", "new", 10));
  EXPECT_EQ(apply_one(put("k", "old", 5)), (Outcome{Verdict::superseded, {}, {}, version(10, 10), false}));
  EXPECT_EQ(bytes("k"), "new");
}

TEST_P(StoreContract, OlderThanAHistoryThatHasDroppedIsIndeterminate) {
  for (std::uint64_t n = 0; n <= limits::history_entries_min; ++n) apply_one(put("k", "v", n * apart_ms, n + 1));
  EXPECT_EQ(apply_one(put("k", "old", apart_ms - 1)).verdict, Verdict::indeterminate);
  EXPECT_EQ(apply_one(put("k", "old", apart_ms + 1)).verdict, Verdict::superseded);
  // Below the purge horizon a short history proves nothing either.
  apply_one(put("short", "v", 10));
  EXPECT_EQ(apply_one(put("short", "old", 5), {epoch_ms + 8}).verdict, Verdict::indeterminate);
}

TEST_P(StoreContract, OlderThanTheHorizonWithoutARecordIsTooOld) {
  EXPECT_EQ(apply_one(put("k", "v", 5), {epoch_ms + 8}), (Outcome{Verdict::too_old, {}, {}, {}, false}));
  EXPECT_EQ(get("k"), std::nullopt);
  EXPECT_EQ(apply_one(put("k", "v", 8), {epoch_ms + 8}).verdict, Verdict::applied);
}

TEST_P(StoreContract, ConditionsAreDecidedOnTheLiveRecord) {
  using enum Condition::Kind;
  const Outcome failed_on_absent{Verdict::condition_failed, {}, {}, {}, false};
  EXPECT_EQ(apply_one(with(put("k", "v", 1), if_present)), failed_on_absent);
  EXPECT_EQ(apply_one(with(put("k", "v", 1), if_version, version(1, 1))), failed_on_absent);
  EXPECT_EQ(apply_one(with(put("k", "v", 1), if_version, Version())), failed_on_absent);
  EXPECT_EQ(get("k"), std::nullopt);

  EXPECT_EQ(apply_one(with(put("k", "a", 1), if_absent)), applied(Effect::created, version(1, 1)));
  const Outcome failed_on_live{Verdict::condition_failed, {}, {}, version(1, 1), false};
  EXPECT_EQ(apply_one(with(put("k", "b", 2), if_absent)), failed_on_live);
  EXPECT_EQ(apply_one(with(put("k", "b", 2), if_version, version(1, 9))), failed_on_live);
  EXPECT_EQ(bytes("k"), "a");
  EXPECT_EQ(apply_one(with(put("k", "b", 2), if_version, version(1, 1))), applied(Effect::replaced, version(2, 2)));
  EXPECT_EQ(apply_one(with(remove("k", 3), if_present)), applied(Effect::deleted, version(3, 3)));

  // A tombstone is no record to a condition.
  EXPECT_EQ(apply_one(with(put("k", "c", 4), if_version, version(3, 3))), failed_on_absent);
  EXPECT_EQ(apply_one(with(put("k", "c", 4), if_absent)), applied(Effect::created, version(4, 4)));
}

TEST_P(StoreContract, ExpiryIsJudgedAtTheStamp) {
  apply_one(expiring(put("k", "a", 1), 100));
  EXPECT_EQ(apply_one(put("k", "b", 99)).effect, Effect::replaced);
  apply_one(expiring(put("k", "c", 100), 200));
  EXPECT_EQ(apply_one(with(put("k", "d", 200), Condition::Kind::if_present)).verdict, Verdict::condition_failed);
  EXPECT_EQ(apply_one(put("k", "d", 200)).effect, Effect::created);
  EXPECT_EQ(get("k")->expires_at_ms, std::nullopt);
}

TEST_P(StoreContract, AnExpiredRecordIsReturnedAsItIs) {
  apply_one(expiring(put("k", "a", 1), 2));
  time_.set_wall_ms(epoch_ms + 1000);
  const auto record = get("k");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->value.bytes, "a");
  EXPECT_FALSE(record->live_at(epoch_ms + 1000));
}

TEST_P(StoreContract, OneKeyInABatchGoesInVersionOrder) {
  const auto outcomes = apply({put("k", "third", 3), put("other", "x", 9), put("k", "first", 1), remove("k", 2)});
  EXPECT_EQ(outcomes[2], applied(Effect::created, version(1, 1)));
  EXPECT_EQ(outcomes[3], applied(Effect::deleted, version(2, 2)));
  EXPECT_EQ(outcomes[0], applied(Effect::created, version(3, 3)));
  EXPECT_EQ(outcomes[1], applied(Effect::created, version(9, 9)));
  EXPECT_EQ(bytes("k"), "third");
  EXPECT_EQ(get("k")->history.entries().size(), 3U);
}

TEST_P(StoreContract, ACopyInTheSameBatchIsAReplay) {
  const auto outcomes = apply({put("k", "a", 1), put("k", "a", 1)});
  EXPECT_EQ(outcomes[0], applied(Effect::created, version(1, 1)));
  EXPECT_EQ(outcomes[1], (Outcome{Verdict::applied, Effect::created, version(1, 1), version(1, 1), true}));
}

TEST_P(StoreContract, OutcomesOfABatchStandWhereTheirMutationsStood) {
  apply({put("b", "old", 1), put("c", "old", 50)});
  const auto outcomes =
      apply({put("c", "older", 10), put("a", "new", 11), remove("b", 12), put("d", "x", 2)}, {epoch_ms + 5});
  EXPECT_EQ(outcomes[0].verdict, Verdict::superseded);
  EXPECT_EQ(outcomes[1], applied(Effect::created, version(11, 11)));
  EXPECT_EQ(outcomes[2], applied(Effect::deleted, version(12, 12)));
  EXPECT_EQ(outcomes[3].verdict, Verdict::too_old);
  EXPECT_EQ(bytes("a"), "new");
  EXPECT_EQ(bytes("c"), "old");
}

TEST_P(StoreContract, BatchesAreBounded) {
  EXPECT_TRUE(apply({}).empty());
  std::vector<Mutation> batch;
  for (std::size_t i = 0; i < limits::batch_mutations_max; ++i) batch.push_back(put("k" + std::to_string(i), "v", 1));
  EXPECT_EQ(apply(batch).size(), limits::batch_mutations_max);
  batch.push_back(put("one-more", "v", 2));
  const auto refused = try_apply(batch);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(get("one-more"), std::nullopt);
}

}  // namespace
}  // namespace armazem::test
