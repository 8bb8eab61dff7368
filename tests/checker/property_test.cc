// Over random histories: what a right store does is always accepted; what was changed afterwards is mostly not.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <functional>
#include <random>

#include "checker/check.h"
#include "checker/json_lines.h"
#include "checker/random_history.h"

namespace armazem::checker {
namespace {

constexpr std::uint64_t histories = 3000;

CheckOptions options_of(const RandomHistoryOptions& made) {
  CheckOptions options;
  options.ttl_us = made.ttl_us;
  options.margin_us = 60;  // a read may take that long
  options.explain = false;
  return options;
}

std::string lines_of(const History& history) {
  std::string lines;
  for (const Event& event : history.events) append_event(lines, event);
  for (const FinalState& state : history.finals) append_final(lines, state);
  return lines;
}

void expect_all_good(const RandomHistoryOptions& made) {
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    const History history = random_history(seed, made);
    const Verdict verdict = check(history, options_of(made));
    ASSERT_TRUE(verdict.ok) << "seed " << seed << ": " << name_of(verdict.violation) << ": " << verdict.why << "\n"
                            << lines_of(history);
  }
}

TEST(CheckerProperty, RightHistoriesAreAccepted) { expect_all_good({}); }

TEST(CheckerProperty, RightHistoriesWithoutVersionsAreAccepted) {
  RandomHistoryOptions made;
  made.versions = false;
  made.operations = 40;
  expect_all_good(made);
}

TEST(CheckerProperty, RightHistoriesWithManyUnknownWritesAreAccepted) {
  RandomHistoryOptions made;
  made.unknown_percent = 40;
  expect_all_good(made);
}

TEST(CheckerProperty, RightHistoriesWithAListOfWhatWasAppliedAreAccepted) {
  RandomHistoryOptions made;
  made.applied = true;
  expect_all_good(made);
}

// Changes one event that suits; false when none does.
using Change = std::function<bool(History&, std::mt19937_64&)>;

template <typename Suits>
Event* pick(History& history, std::mt19937_64& random, Suits suits) {
  std::vector<Event*> found;
  for (Event& event : history.events) {
    if (suits(event)) found.push_back(&event);
  }
  return found.empty() ? nullptr : found[random() % found.size()];
}

// How many of a hundred changed histories are refused.
double refused_percent(const Change& change, RandomHistoryOptions made = {}) {
  std::size_t changed = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    History history = random_history(seed, made);
    std::mt19937_64 random(seed);
    if (!change(history, random)) continue;
    ++changed;
    if (!check(history, options_of(made)).ok) ++refused;
  }
  EXPECT_GT(changed, histories / 5);
  return 100.0 * static_cast<double>(refused) / static_cast<double>(changed);
}

bool is_strong_hit(const Event& event) {
  return event.kind == Kind::get && event.level == Level::strong && event.value != 0;
}
bool is_applied(const Event& event) { return event.kind != Kind::get && event.outcome == Outcome::ok; }

// A strong read sees what another read of the key saw.
bool swap_reads(History& history, std::mt19937_64& random) {
  Event* const one = pick(history, random, is_strong_hit);
  if (one == nullptr) return false;
  Event* const other = pick(history, random, [&](const Event& event) {
    return event.kind == Kind::get && event.key == one->key && event.value != 0 && event.value != one->value &&
           event.invoked_us + 200 < one->invoked_us;
  });
  if (other == nullptr) return false;
  one->value = other->value;
  one->version = other->version;
  return true;
}

TEST(CheckerProperty, StaleStrongReadsAreRefused) { EXPECT_GT(refused_percent(swap_reads), 90); }

TEST(CheckerProperty, StaleStrongReadsAreRefusedWithoutVersions) {
  RandomHistoryOptions made;
  made.versions = false;
  made.operations = 40;
  EXPECT_GT(refused_percent(swap_reads, made), 75);
}

TEST(CheckerProperty, LostWritesAreRefused) {
  const auto lose_the_end = [](History& history, std::mt19937_64& random) {
    Event* const last = pick(history, random, [&](const Event& event) {
      return is_applied(event) && event.kind == Kind::put && event.version == history.finals[event.key].store_version;
    });
    if (last == nullptr) return false;
    history.finals[last->key].store_value = 0;
    history.finals[last->key].store_version = {};
    return true;
  };
  EXPECT_GT(refused_percent(lose_the_end), 75);  // else an unknown delete explains it
}

TEST(CheckerProperty, WrongAnswersToWritesAreRefused) {
  const auto lie = [](History& history, std::mt19937_64& random) {
    Event* const write =
        pick(history, random, [](const Event& event) { return is_applied(event) && event.status != 0; });
    if (write == nullptr) return false;
    write->status = write->status == 200 ? 201 : write->status == 201 ? 200 : write->status == 204 ? 404 : 204;
    return true;
  };
  RandomHistoryOptions made;
  made.unknown_percent = 3;
  EXPECT_GT(refused_percent(lie, made), 60);
}

TEST(CheckerProperty, WritesThatAreSaidToHaveFailedAreRefused) {
  const auto deny = [](History& history, std::mt19937_64& random) {
    Event* const read = pick(history, random, is_strong_hit);
    if (read == nullptr) return false;
    Event* const write = pick(history, random, [&](const Event& event) {
      return event.kind == Kind::put && event.key == read->key && event.value == read->value;
    });
    write->outcome = Outcome::failed;
    write->status = 503;
    return true;
  };
  EXPECT_GT(refused_percent(deny), 99);
}

TEST(CheckerProperty, StaleCachedReadsAreRefused) {
  const auto age = [](History& history, std::mt19937_64& random) {
    Event* const read = pick(history, random, [](const Event& event) {
      return event.kind == Kind::get && event.level == Level::cached && event.value != 0;
    });
    if (read == nullptr) return false;
    read->invoked_us += 2000;
    read->returned_us += 2000;
    history.finals.clear();
    return true;
  };
  EXPECT_GT(refused_percent(age), 60);
}

// What the simulation needs: tens of thousands of short histories in a second.
TEST(CheckerProperty, ShortHistoriesAreJudgedFast) {
  RandomHistoryOptions made;
  std::vector<History> all;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) all.push_back(random_history(seed, made));
  const std::clock_t begin = std::clock();  // of the processor: the machine may have more to do
  for (const History& history : all) ASSERT_TRUE(check(history, options_of(made)).ok);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  const double microseconds = seconds * 1e6 / static_cast<double>(all.size());
  std::printf("%.1f microseconds for a history of %zu operations\n", microseconds, made.operations);
  EXPECT_LT(microseconds, 2000) << "a bound that a build with sanitizers keeps, too";
}

}  // namespace
}  // namespace armazem::checker
