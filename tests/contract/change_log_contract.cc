// The contract of ChangeLog: what leaves a change, in which order, and how it is read.
#include "contract/change_log_contract.h"

#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "support/eventually.h"

namespace armazem::test {

std::vector<Change> ChangeLogContract::read_all(ChangesRequest request) {
  std::vector<Change> all;
  while (true) {
    ChangePage page = read(request);
    EXPECT_FALSE(page.lost);
    EXPECT_LE(page.changes.size(), request.limit);
    std::uint64_t last = request.after;
    for (Change& change : page.changes) {
      EXPECT_GT(change.position, last) << "positions strictly increase";
      last = change.position;
      all.push_back(std::move(change));
    }
    EXPECT_GE(page.next, last);
    if (page.next == request.after) return all;
    request.after = page.next;
  }
}

namespace {

// "name@ms=value", "name@ms-" for a delete, "name@ms#size" where the bytes are left out.
std::string text_of(const Change& change) {
  const std::string name = change.key.text() + "@" + std::to_string(change.version.ms() - epoch_ms);
  if (change.removed()) return name + "-";
  return name + (change.value->bytes ? "=" + *change.value->bytes : "#" + std::to_string(change.value->size));
}

std::vector<std::string> texts(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) texts.push_back(text_of(change));
  return texts;
}
using Texts = std::vector<std::string>;

TEST_P(ChangeLogContract, AFreshLogIsEmpty) {
  EXPECT_EQ(texts(read_all()), Texts());
  const ChangeLogState fresh = state();
  EXPECT_EQ(fresh.id.size(), 16U);
  EXPECT_EQ(fresh.id.find_first_not_of("0123456789abcdef"), std::string::npos) << fresh.id;
  EXPECT_EQ(fresh.oldest, 0U);
  EXPECT_EQ(fresh.newest, 0U);
}

TEST_P(ChangeLogContract, EachAppliedMutationLeavesOneChangeInOrder) {
  apply_one(put("b", "one", 1));
  apply_one(put("a", "two", 2));
  apply({put("b", "three", 3), remove("a", 4), put("c", "", 5)});
  // Within a batch in the order of keys: that is the order in which a batch is applied.
  EXPECT_EQ(texts(read_all()), (Texts{"b@1=one", "a@2=two", "a@4-", "b@3=three", "c@5="}));
}

TEST_P(ChangeLogContract, SeveralMutationsOfAKeyInABatchComeInVersionOrder) {
  apply({put("k", "third", 3), put("k", "first", 1), remove("k", 2), put("k", "fourth", 4), put("j", "other", 9)});
  EXPECT_EQ(texts(read_all()), (Texts{"j@9=other", "k@1=first", "k@2-", "k@3=third", "k@4=fourth"}));
}

TEST_P(ChangeLogContract, WhatChangesNothingLeavesNothing) {
  apply({put("k", "v", 5), put("twice", "v", 5)});
  const ChangeLogState before = state();
  apply_one(put("k", "v", 5));                                        // replayed
  apply_one(put("k", "older", 4));                                    // superseded
  apply_one(with(put("k", "x", 6), Condition::Kind::if_absent));      // condition failed
  apply_one(remove("never", 7));                                      // nothing to delete
  apply_one(remove("never", 8));                                      // nor now
  apply({put("twice", "v", 5), put("twice", "v", 5)});                // replayed, twice in a batch
  EXPECT_EQ(texts(read_all({before.newest})), Texts());
  EXPECT_EQ(state().newest, before.newest);
  apply_one(put("k", "newer", 9));
  EXPECT_EQ(texts(read_all({before.newest})), (Texts{"k@9=newer"}));
}

TEST_P(ChangeLogContract, AChangeTellsWhatTheRecordHolds) {
  Mutation typed = expiring(put("typed", R"({"a":1})", 1), 100'000);
  typed.value.content_type = "application/vnd.example+json";
  typed.value.form = ValueForm::json;
  Mutation binary = put("utf-8 é", std::string("\x00\xFF\x80", 3), 2);
  binary.value = {std::string("\x00\xFF\x80", 3), "image/png", ValueForm::bytes};
  apply({typed, binary});
  const std::vector<Change> changes = read_all();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].key, key("typed"));
  EXPECT_EQ(changes[0].version, version(1, 1));
  EXPECT_EQ(changes[0].value, (ChangedValue{"application/vnd.example+json", ValueForm::json, 7, R"({"a":1})", epoch_ms + 100'000}));
  EXPECT_EQ(changes[1].key, key("utf-8 é"));
  EXPECT_EQ(changes[1].value, (ChangedValue{"image/png", ValueForm::bytes, 3, std::string("\x00\xFF\x80", 3), {}}));
}

TEST_P(ChangeLogContract, LargeValuesComeWithoutTheirBytes) {
  constexpr std::size_t max = limits::change_value_bytes_max;
  apply({put("a", std::string(max, 'x'), 1), put("b", std::string(max + 1, 'y'), 2), put("b", std::string(max, 'z'), 3)});
  const std::vector<Change> changes = read_all();
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].value->bytes, std::string(max, 'x'));
  EXPECT_EQ(changes[1].value->bytes, std::nullopt);
  EXPECT_EQ(changes[1].value->size, max + 1);
  EXPECT_EQ(changes[1].value->content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(changes[1].value->form, ValueForm::text);
  EXPECT_EQ(changes[2].value->bytes, std::string(max, 'z'));
}

TEST_P(ChangeLogContract, PagesEndAtTheirLimit) {
  std::vector<Mutation> batch;
  for (std::uint64_t i = 1; i <= 25; ++i) batch.push_back(put("k" + std::to_string(100 + i), "v", i));
  apply(std::move(batch));
  for (std::uint64_t i = 26; i <= 30; ++i) apply_one(put("k" + std::to_string(100 + i), "v", i));
  const ChangePage first = read({0, 10});
  ASSERT_EQ(first.changes.size(), 10U);
  EXPECT_EQ(first.next, first.changes.back().position) << "in the middle of a batch, nothing more may be told";
  for (const std::size_t limit : {1U, 7U, 10U, 1000U}) {
    const std::vector<Change> all = read_all({0, limit});
    ASSERT_EQ(all.size(), 30U);
    for (std::uint64_t i = 1; i <= 30; ++i) EXPECT_EQ(text_of(all[i - 1]), "k" + std::to_string(100 + i) + "@" + std::to_string(i) + "=v");
  }
}

TEST_P(ChangeLogContract, PagesEndWithTheChangeThatReachesTheirBytes) {
  for (std::uint64_t i = 1; i <= 9; ++i) apply_one(put("k", std::string(1000, 'x'), i));
  EXPECT_EQ(read({0, 100, 1}).changes.size(), 1U);
  EXPECT_EQ(read({0, 100, 3000}).changes.size(), 3U);
  EXPECT_EQ(read_all({0, 100, 3000}).size(), 9U);
}

TEST_P(ChangeLogContract, GoesOnBehindAnyPosition) {
  for (std::uint64_t i = 1; i <= 6; ++i) apply({put("a", std::to_string(i), i), put("b", std::to_string(i), i)});
  const std::vector<Change> all = read_all();
  ASSERT_EQ(all.size(), 12U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(texts(read_all({all[i].position})), texts({all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end()}));
  }
  EXPECT_EQ(state().newest, all.back().position);
}

// More than one transaction or entry may hold.
TEST_P(ChangeLogContract, AWholeBatchOfTheLargestChangesComesInOrder) {
  std::vector<Mutation> batch;
  for (std::uint64_t i = 1; i <= limits::batch_mutations_max; ++i) {
    batch.push_back(put("k" + std::to_string(1000 + i), std::string(limits::change_value_bytes_max, static_cast<char>('a' + i % 26)), i));
  }
  apply(batch);
  const std::vector<Change> all = read_all({0, limits::change_page_max});
  ASSERT_EQ(all.size(), batch.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].key, batch[i].key);
    EXPECT_EQ(all[i].value->bytes, batch[i].value.bytes);
  }
}

TEST_P(ChangeLogContract, APositionOfAnotherHistoryIsLost) {
  apply_one(put("k", "v", 1));
  const ChangeLogState now = state();
  for (const std::uint64_t beyond : {now.newest + 1, now.newest + 1'000'000, std::uint64_t{1} << 62}) {
    const ChangePage page = read({beyond});
    EXPECT_TRUE(page.lost) << beyond;
    EXPECT_TRUE(page.changes.empty());
    EXPECT_EQ(page.next, now.oldest);
  }
  EXPECT_FALSE(read({now.newest}).lost);
}

TEST_P(ChangeLogContract, TheOldestAreDroppedAndTheirReadersTold) {
  make(Bound::small);
  // Bytes that no compression makes small.
  std::mt19937_64 random(7);
  std::uint64_t ms = 0;
  const auto write_more = [&] {
    std::vector<Mutation> batch;
    while (batch.size() < 40) {
      std::string bytes(2000, 0);
      for (char& byte : bytes) byte = static_cast<char>(random());
      ++ms;
      batch.push_back(put("k" + std::to_string(10'000'000 + ms), std::move(bytes), ms));  // keys in the order of time
    }
    apply(std::move(batch));
    PurgeRequest nothing_old;
    (void)executor_.run(store().purge(nothing_old, soon()));
  };
  write_more();
  const std::uint64_t early = read({0, 5}).next;
  ASSERT_TRUE(eventually([&] {
    write_more();
    return state().oldest > early;
  })) << "nothing was dropped";

  for (const std::uint64_t behind : {std::uint64_t{0}, early}) {
    const ChangePage page = read({behind});
    EXPECT_TRUE(page.lost);
    EXPECT_TRUE(page.changes.empty());
    EXPECT_GT(page.next, early);
  }
  // What is kept is whole: the newest of all that there were, without a hole.
  const ChangeLogState now = state();
  const std::vector<Change> kept = read_all({now.oldest});
  ASSERT_FALSE(kept.empty());
  EXPECT_EQ(kept.back().position, now.newest);
  std::set<std::uint64_t> times;
  for (const Change& change : kept) times.insert(change.version.ms() - epoch_ms);
  EXPECT_EQ(times.size(), kept.size());
  EXPECT_EQ(*times.rbegin(), ms);
  EXPECT_EQ(*times.rbegin() - *times.begin() + 1, kept.size()) << "a hole, or one too many";
}

TEST_P(ChangeLogContract, LastsOverAnEndAndANewStart) {
  apply({put("a", "1", 1), put("b", "2", 2)});
  const std::vector<Change> before = read_all();
  const ChangeLogState was = state();
  if (!under_test_->reopen()) GTEST_SKIP() << GetParam().name << " keeps nothing over its end";
  EXPECT_EQ(state().id, was.id);
  EXPECT_EQ(state().newest, was.newest);
  EXPECT_EQ(read_all(), before);
  apply_one(put("c", "3", 3));
  ASSERT_TRUE(under_test_->reopen());
  apply_one(put("d", "4", 4));
  EXPECT_EQ(state().id, was.id);
  EXPECT_EQ(texts(read_all({was.newest})), (Texts{"c@3=3", "d@4=4"}));
  EXPECT_EQ(read_all().size(), 4U);
}

TEST_P(ChangeLogContract, AnEmptyLogKeepsItsIdentityToo) {
  const ChangeLogState was = state();
  if (!under_test_->reopen()) GTEST_SKIP() << GetParam().name << " keeps nothing over its end";
  EXPECT_EQ(state().id, was.id);
}

TEST_P(ChangeLogContract, EveryLogHasAnIdentityOfItsOwn) {
  const std::string first = state().id;
  make(Bound::usual);
  EXPECT_NE(state().id, first);
}

TEST_P(ChangeLogContract, BadRequestsAndLateOnesAreRefused) {
  for (const std::size_t limit : {std::size_t{0}, limits::change_page_max + 1}) {
    const auto page = try_read({0, limit});
    ASSERT_FALSE(page.has_value());
    EXPECT_EQ(page.error().code, ErrorCode::invalid_argument);
  }
  const auto late = executor_.run(log().read_changes({}, passed()));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::deadline_exceeded);
  const auto too = executor_.run(log().change_log_state(passed()));
  ASSERT_FALSE(too.has_value());
  EXPECT_EQ(too.error().code, ErrorCode::deadline_exceeded);
}

// Writes keys of its own and keys that all share, in batches; what was applied, it remembers.
struct Writers {
  Store& store;
  std::mutex mutex;
  std::map<Version, std::string> applied;  // key by version
  std::atomic<int> failures{0};
};

Task<void> write_batches(Writers& writers, std::uint64_t client, std::uint64_t rounds) {
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    std::vector<Mutation> batch;
    for (std::uint64_t i = 0; i < 5; ++i) {
      const std::uint64_t ms = round * 1000 + client * 10 + i;
      const std::string name = i < 2 ? "own-" + std::to_string(client) : "shared-" + std::to_string(i);
      batch.push_back(i == 4 ? remove("shared-3", ms) : put(name, std::to_string(ms), ms));
    }
    const std::vector<Mutation> sent = batch;
    const auto outcomes = co_await writers.store.apply(std::move(batch), {}, soon());
    if (!outcomes) ++writers.failures;
    const std::lock_guard lock(writers.mutex);
    for (std::size_t i = 0; outcomes && i < sent.size(); ++i) {
      const Outcome& outcome = (*outcomes)[i];
      const bool told = outcome.verdict == Verdict::applied && outcome.effect != Effect::nothing_to_delete;
      if (told) writers.applied.emplace(sent[i].version, sent[i].key.text());
    }
  }
}

TEST_P(ChangeLogContract, WhileManyWriteAReaderMissesNothingAndSeesNothingTwice) {
  constexpr std::uint64_t threads = 3;
  constexpr std::uint64_t clients_per_thread = 4;
  constexpr std::uint64_t rounds = 25;
  Writers writers{store(), {}, {}, {}};
  std::atomic<std::uint64_t> running_threads{threads};
  std::vector<std::thread> running;
  for (std::uint64_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      TestExecutor executor;
      TaskScope scope(executor);
      for (std::uint64_t c = 0; c < clients_per_thread; ++c) {
        scope.spawn(write_batches(writers, t * clients_per_thread + c, rounds));
      }
      executor.run_until([&] { return scope.running() == 0; });
      --running_threads;
    });
  }
  std::vector<Change> tailed;
  ChangesRequest request{0, 7};
  const auto read_on = [&] {
    const ChangePage page = read(request);
    EXPECT_FALSE(page.lost);
    for (const Change& change : page.changes) {
      EXPECT_GT(change.position, request.after);
      request.after = change.position;
      tailed.push_back(change);
    }
    request.after = page.next;
    return !page.changes.empty();
  };
  while (running_threads > 0) read_on();
  for (std::thread& thread : running) thread.join();
  ASSERT_EQ(writers.failures, 0);
  ASSERT_TRUE(eventually([&] { return !read_on() && tailed.size() >= writers.applied.size(); }));

  std::map<Version, std::string> seen;
  std::map<std::string, Version> newest;
  for (const Change& change : tailed) {
    EXPECT_TRUE(seen.emplace(change.version, change.key.text()).second) << "told twice: " << text_of(change);
    EXPECT_GT(change.version, newest[change.key.text()]) << "out of order: " << text_of(change);
    newest[change.key.text()] = change.version;
  }
  EXPECT_EQ(seen, writers.applied);
  // And whoever reads later reads the same.
  EXPECT_EQ(texts(read_all({0, 100})), texts(tailed));
}

}  // namespace
}  // namespace armazem::test
