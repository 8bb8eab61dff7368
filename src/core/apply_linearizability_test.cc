// Is the scheme of docs/adr/0002 linearizable? `apply` and `HybridClock` as they are, between simulated clients:
// two APIs with skewed clocks, messages delivered twice and in any order, lost replies, clients or proxies that repeat a
// request through the other API. Every run is checked by exhaustive search.
//
// ARMAZEM_LINEARIZABILITY_RUNS changes how many runs, ARMAZEM_SEED runs a single one and shows it.
#include <errno.h>  // program_invocation_name
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/apply.h"
#include "core/hybrid_clock.h"

namespace armazem {
namespace {

using Decide = Applied (*)(std::optional<Record>&, Mutation, ApplyGuard);

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t runs_default = 100'000;
#else
constexpr std::uint64_t runs_default = 10'000;
#endif

// What the clients saw ------------------------------------------------------------------------------------------------

constexpr int never = std::numeric_limits<int>::max();
constexpr int absent = 0;

struct Call {
  enum class Kind { read, put, create_only, remove };
  Kind kind = Kind::read;
  int value = absent;                // what was read, or what is to be written; every put writes another value
  int invoked = 0;
  int returned = never;              // unanswered: may take effect at any time from its invocation on, or never
  Verdict verdict = Verdict::applied;  // when it returned
  Effect effect = Effect::created;
  [[nodiscard]] bool answered() const { return returned != never; }
};

// The state after `call` takes effect on `state`; nullopt when its answer would have been a lie there.
std::optional<int> after(const Call& call, int state) {
  if (call.kind == Call::Kind::read) return call.value == state ? std::optional(state) : std::nullopt;
  const bool present = state != absent;
  const bool refused = call.kind == Call::Kind::create_only && present;
  if (call.answered()) {
    if (refused != (call.verdict == Verdict::condition_failed)) return std::nullopt;
    const bool found = call.effect == Effect::replaced || call.effect == Effect::deleted;
    if (!refused && found != present) return std::nullopt;
  }
  if (refused) return state;
  return call.kind == Call::Kind::remove ? absent : call.value;
}

// Is there an order of the calls, each between its invocation and its return, in which every answer was true? All orders
// are tried; a set of calls done with the state they led to is visited once.
class Search {
 public:
  explicit Search(const std::vector<Call>& calls) : calls_(calls) {}
  bool run() { return from(0, absent); }

 private:
  static constexpr std::size_t states = 64;  // more than any value

  bool from(std::size_t done, int state) {
    if (!visited_.insert(done * states + static_cast<std::size_t>(state)).second) return false;
    int first_return = never;
    bool all_answered_done = true;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (done >> i & 1) continue;
      first_return = std::min(first_return, calls_[i].returned);
      all_answered_done = all_answered_done && !calls_[i].answered();
    }
    if (all_answered_done) return true;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (done >> i & 1 || calls_[i].invoked > first_return) continue;
      const std::optional<int> next = after(calls_[i], state);
      if (next && from(done | std::size_t{1} << i, *next)) return true;
    }
    return false;
  }

  const std::vector<Call>& calls_;
  std::unordered_set<std::size_t> visited_;
};

bool linearizable(const std::vector<Call>& calls) { return Search(calls).run(); }

// One run -------------------------------------------------------------------------------------------------------------

struct Scenario {
  int steps = 60;
  int clients = 3;
  int calls_each_min = 1;
  int calls_each_max = 3;
  int writes_max = 8;
  int read_percent = 50;
  int repeat_percent = 50;  // of the writes: once more through the other API
  int duplicate_percent = 50;
  int loss_percent = 40;
  int skew_ms = 20;
  int tick_ms = 1;  // one to four steps each
};

// Repeats are recognised as long as the operation is in the history, so this many writes of one key can never defeat them.
constexpr Scenario repeats{.writes_max = static_cast<int>(limits::history_entries_min)};
// Nor can more of them within the window.
constexpr Scenario repeats_of_a_hot_key{.steps = 150, .calls_each_min = 5, .calls_each_max = 5, .writes_max = 14};
// More writes than the history holds, for the window passes; requests are not repeated, but messages still come twice and
// are stamped again.
constexpr Scenario long_history{.steps = 300,
                                .calls_each_min = 6,
                                .calls_each_max = 6,
                                .writes_max = 18,
                                .read_percent = 25,
                                .repeat_percent = 0,
                                .duplicate_percent = 80,
                                .loss_percent = 50,
                                .tick_ms = 1'500};

class HandClock final : public TimeSource {
 public:
  std::uint64_t wall_ms() const noexcept override { return wall_ms_; }
  MonotonicTime now() const noexcept override { return {}; }
  void set(std::uint64_t ms) { wall_ms_ = ms; }

 private:
  std::uint64_t wall_ms_ = 0;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, const Scenario& scenario, Decide decide)
      : random_(seed), scenario_(scenario), decide_(decide), writes_left_(scenario.writes_max) {
    for (Api& api : apis_) api.skew_ms = below(2 * scenario.skew_ms + 1);
    clients_.resize(static_cast<std::size_t>(scenario.clients));
    for (Client& client : clients_) {
      client.calls_left = scenario.calls_each_min + below(scenario.calls_each_max - scenario.calls_each_min + 1);
    }
    steps_per_tick_ = 1 + below(4);
    merges_versions_ = chance(50);
  }

  const std::vector<Call>& calls() {
    for (now_ = 1; now_ <= scenario_.steps; ++now_) {
      const int passed_ms = now_ / steps_per_tick_ * scenario_.tick_ms;
      for (Api& api : apis_) api.time.set(start_ms + static_cast<std::uint64_t>(passed_ms + api.skew_ms));
      step();
    }
    read();
    return calls_;
  }

 private:
  static constexpr std::uint64_t start_ms = 1'000'000;

  struct Api {
    HandClock time;
    HybridClock clock{time};
    int skew_ms = 0;
  };
  struct Client {
    std::optional<std::size_t> waits_for;  // index of a call
    int calls_left = 0;
  };
  // One API that works on one call. Only the latest request of a call answers the client; the others go on unseen.
  struct Request {
    std::size_t call = 0;
    std::size_t api = 0;
    Version stamp;
    int restamps = 0;
  };
  struct Message {
    std::size_t request = 0;
    Version stamp;
  };
  struct Reply {
    std::size_t request = 0;
    Version stamp;
    Outcome outcome;
  };

  int below(int bound) { return static_cast<int>(random_() % static_cast<std::uint64_t>(bound)); }
  bool chance(int percent) { return below(100) < percent; }

  template <class T>
  std::size_t any_of(const std::vector<T>& items) {
    return random_() % items.size();
  }

  template <class T>
  T take_any(std::vector<T>& items) {
    const auto position = items.begin() + static_cast<std::ptrdiff_t>(any_of(items));
    T item = *position;
    items.erase(position);
    return item;
  }

  void step() {
    const int action = below(100);
    Client& client = clients_[any_of(clients_)];
    if (action < 35) invoke(client);
    else if (action < 70) deliver();
    else if (action < 93) receive();
    else if (action < 97) repeat(client);
    else if (client.waits_for) client.waits_for.reset();  // gives up; its write stays on its way
  }

  void read() {
    const bool live = record_ && record_->live_at(0);
    calls_.push_back({Call::Kind::read, live ? std::stoi(record_->value.bytes) : absent, now_, now_});
  }

  void invoke(Client& client) {
    if (client.waits_for || client.calls_left == 0) return;
    --client.calls_left;
    if (writes_left_ == 0 || chance(scenario_.read_percent)) return read();
    --writes_left_;
    const int kind = below(8);
    const auto value = static_cast<int>(calls_.size()) + 1;
    calls_.push_back({kind == 0   ? Call::Kind::create_only
                      : kind <= 2 ? Call::Kind::remove
                                  : Call::Kind::put,
                      value, now_});
    client.waits_for = calls_.size() - 1;
    const std::size_t api = any_api();
    request(*client.waits_for, api);
    if (chance(scenario_.repeat_percent / 2)) repeat_through(*client.waits_for, 1 - api);
  }

  std::size_t any_api() { return random_() % std::size(apis_); }

  void request(std::size_t call, std::size_t api) {
    Version stamp = apis_[api].clock.stamp(OpId(call + 1));
    // The direct road of conditional writes: stamped above the record.
    if (calls_[call].kind == Call::Kind::create_only && record_) {
      stamp = std::max(stamp, HybridClock::stamp_above(record_->version, stamp.op()));
    }
    requests_.push_back({call, api, stamp, 0});
    messages_.push_back({requests_.size() - 1, stamp});
  }

  // A proxy at once, or a client later. A conditional write is never repeated while it may still be on its way.
  void repeat_through(std::size_t call, std::size_t api) {
    if (calls_[call].kind != Call::Kind::create_only) request(call, api);
  }
  void repeat(const Client& client) {
    if (client.waits_for && scenario_.repeat_percent > 0) repeat_through(*client.waits_for, any_api());
  }

  void deliver() {
    if (messages_.empty()) return;
    const Message message = take_any(messages_);
    const Request& request = requests_[message.request];
    const Call& call = calls_[request.call];
    if (call.kind != Call::Kind::create_only && chance(scenario_.duplicate_percent)) messages_.push_back(message);
    const Outcome outcome = decide_(record_, mutation(call, message.stamp), {}).outcome;
    if (!chance(scenario_.loss_percent)) replies_.push_back({message.request, message.stamp, outcome});
  }

  static Mutation mutation(const Call& call, Version stamp) {
    Mutation mutation{Mutation::Kind::put, Key::parse("k").value(), {}, stamp, {}, {}};
    if (call.kind == Call::Kind::remove) mutation.kind = Mutation::Kind::remove;
    else mutation.value = {std::to_string(call.value), "text/plain", ValueForm::text};
    if (call.kind == Call::Kind::create_only) mutation.condition.kind = Condition::Kind::if_absent;
    return mutation;
  }

  void receive() {
    if (replies_.empty()) return;
    const Reply reply = take_any(replies_);
    Request& request = requests_[reply.request];
    if (reply.stamp != request.stamp) return;
    Api& api = apis_[request.api];
    if (merges_versions_) {
      EXPECT_TRUE(api.clock.observe(reply.outcome.current).has_value());
    }
    if (reply.outcome.verdict == Verdict::superseded) {
      if (request.restamps++ == limits::restamps_max) return end(reply);
      request.stamp = HybridClock::stamp_above(reply.outcome.current, request.stamp.op());
      messages_.push_back({reply.request, request.stamp});
    } else {
      end(reply);
    }
  }

  // Answers the client, if it still waits for this request.
  void end(const Reply& reply) {
    const std::size_t call = requests_[reply.request].call;
    const auto waiting = std::ranges::find(clients_, std::optional(call), &Client::waits_for);
    const auto later = [&](const Request& other) { return other.call == call; };
    if (waiting == clients_.end()) return;
    if (std::any_of(requests_.begin() + static_cast<std::ptrdiff_t>(reply.request) + 1, requests_.end(), later)) return;
    waiting->waits_for.reset();
    const Verdict verdict = reply.outcome.verdict;
    if (verdict != Verdict::applied && verdict != Verdict::condition_failed) return;  // told 'unknown'
    calls_[call].returned = now_;
    calls_[call].verdict = verdict;
    calls_[call].effect = reply.outcome.effect;
  }

  std::mt19937_64 random_;
  const Scenario& scenario_;
  Decide decide_;
  int writes_left_;
  Api apis_[2];
  std::vector<Client> clients_;
  int steps_per_tick_ = 1;
  bool merges_versions_ = false;  // whether APIs merge the versions they see into their clocks
  int now_ = 0;
  std::optional<Record> record_;
  std::vector<Request> requests_;
  std::vector<Message> messages_;
  std::vector<Reply> replies_;
  std::vector<Call> calls_;
};

bool run_is_linearizable(std::uint64_t seed, const Scenario& scenario, Decide decide) {
  return linearizable(Simulation(seed, scenario, decide).calls());
}

// Many runs -----------------------------------------------------------------------------------------------------------

std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::optional(std::strtoull(text, nullptr, 10)) : std::nullopt;
}

std::string show(const std::vector<Call>& calls) {
  static constexpr const char* kinds[] = {"read", "put", "create_only", "remove"};
  static constexpr const char* effects[] = {"created", "replaced", "deleted", "nothing_to_delete"};
  std::ostringstream out;
  for (const Call& call : calls) {
    out << call.invoked << ".." << (call.answered() ? std::to_string(call.returned) : "?") << ' '
        << kinds[static_cast<std::size_t>(call.kind)] << ' ' << call.value;
    if (call.kind != Call::Kind::read && call.answered()) {
      const char* effect = effects[static_cast<std::size_t>(call.effect)];
      out << " -> " << (call.verdict == Verdict::applied ? effect : "condition failed");
    }
    out << '\n';
  }
  return out.str();
}

void expect_all_linearizable(const Scenario& scenario, const char* name) {
  const auto single = number_from_environment("ARMAZEM_SEED");
  const std::uint64_t first = single.value_or(1);
  const std::uint64_t runs = single ? 1 : number_from_environment("ARMAZEM_LINEARIZABILITY_RUNS").value_or(runs_default);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    const bool good = run_is_linearizable(seed, scenario, apply);
    if (single) std::cout << show(Simulation(seed, scenario, apply).calls());
    ASSERT_TRUE(good) << show(Simulation(seed, scenario, apply).calls()) << "replay with: ARMAZEM_SEED=" << seed << ' '
                      << program_invocation_name << " --gtest_filter=ApplyLinearizability." << name;
  }
}

TEST(ApplyLinearizability, WithRequestsRepeatedThroughTheOtherApi) {
  expect_all_linearizable(repeats, "WithRequestsRepeatedThroughTheOtherApi");
}

TEST(ApplyLinearizability, WithRequestsToAHotKeyRepeated) {
  expect_all_linearizable(repeats_of_a_hot_key, "WithRequestsToAHotKeyRepeated");
}

TEST(ApplyLinearizability, WithMoreWritesThanTheHistoryHolds) {
  expect_all_linearizable(long_history, "WithMoreWritesThanTheHistoryHolds");
}

// The search itself ---------------------------------------------------------------------------------------------------

Call read_at(int invoked, int returned, int value) { return {Call::Kind::read, value, invoked, returned}; }
Call put_at(int invoked, int returned, int value, Effect effect = Effect::created) {
  return {Call::Kind::put, value, invoked, returned, Verdict::applied, effect};
}

TEST(LinearizabilitySearch, AcceptsWhatHasAnOrder) {
  EXPECT_TRUE(linearizable({}));
  EXPECT_TRUE(linearizable({put_at(1, 2, 7), read_at(3, 3, 7)}));
  EXPECT_TRUE(linearizable({put_at(1, 9, 7), read_at(3, 3, absent), read_at(4, 4, 7)}));      // while it runs: either
  EXPECT_TRUE(linearizable({put_at(1, never, 7), read_at(3, 3, absent), read_at(9, 9, 7)}));  // unanswered: later
  EXPECT_TRUE(linearizable({put_at(1, never, 7), read_at(9, 9, absent)}));                    // unanswered: never
  EXPECT_TRUE(linearizable({put_at(1, 5, 7), put_at(2, 6, 8, Effect::replaced), read_at(7, 7, 8)}));
}

TEST(LinearizabilitySearch, RefusesWhatHasNone) {
  const Call found_nothing{Call::Kind::remove, 0, 3, 4, Verdict::applied, Effect::nothing_to_delete};
  const Call refused{Call::Kind::create_only, 7, 1, 2, Verdict::condition_failed};
  EXPECT_FALSE(linearizable({read_at(1, 1, 7)}));                                                      // never written
  EXPECT_FALSE(linearizable({put_at(1, 2, 7), read_at(3, 3, absent)}));                                // lost
  EXPECT_FALSE(linearizable({put_at(1, 9, 7), read_at(3, 3, 7), read_at(4, 4, absent)}));              // seen, unseen
  EXPECT_FALSE(linearizable({put_at(1, 2, 7), put_at(3, 4, 8, Effect::replaced), read_at(5, 5, 7)}));  // overwritten
  EXPECT_FALSE(linearizable({put_at(1, 2, 7), put_at(3, 4, 8, Effect::created)}));  // created over a value
  EXPECT_FALSE(linearizable({put_at(1, 2, 7), found_nothing}));
  EXPECT_FALSE(linearizable({refused}));  // although there was no value
}

// Teeth: simpler rules, each found wrong ------------------------------------------------------------------------------

template <class Keeps>
void filter_history(Record& record, Keeps keeps) {
  const History before = std::exchange(record.history, {});
  for (const HistoryEntry& entry : before.entries()) {
    if (keeps(entry)) record.history.push(entry);
  }
}

Applied newer_asked_first(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  if (record && mutation.version > record->version) {
    filter_history(*record, [&](const HistoryEntry& entry) { return entry.version.op() != mutation.version.op(); });
  }
  return apply(record, std::move(mutation), guard);
}

// Exactly the rule of `apply`, with room for the last two only.
Applied history_of_two(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Version stamp = mutation.version;
  Applied result = apply(record, std::move(mutation), guard);
  if (result.changed && record->history.entries().size() > 2) {
    const Version oldest_kept = record->history.entries().end()[-2].version;
    filter_history(*record, [&](const HistoryEntry& entry) { return entry.version >= oldest_kept; });
  }
  const auto entries = record->history.entries();
  const bool proved = entries.size() < 2 || entries.front().version <= stamp;
  if (result.outcome.verdict == Verdict::superseded && !proved) result.outcome.verdict = Verdict::indeterminate;
  return result;
}

// The last eight, however hot the key is.
Applied history_of_eight(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (!result.changed || record->history.entries().size() <= 8) return result;
  const Version oldest_kept = record->history.entries().end()[-8].version;
  filter_history(*record, [&](const HistoryEntry& entry) { return entry.version >= oldest_kept; });
  return result;
}

Applied stamped_again_without_proof(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  Applied result = apply(record, std::move(mutation), guard);
  if (result.outcome.verdict == Verdict::indeterminate) result.outcome.verdict = Verdict::superseded;
  return result;
}

Applied superseded_counts_as_success(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Effect effect = mutation.kind == Mutation::Kind::put ? Effect::replaced : Effect::deleted;
  Applied result = apply(record, std::move(mutation), guard);
  const Outcome success{Verdict::applied, effect, {}, result.outcome.current, false};
  if (result.outcome.verdict == Verdict::superseded) result.outcome = success;
  return result;
}

// Two stamps in one tick are told apart by their op ids only. Without them the second counts as a copy of the first.
Applied only_the_tick_counts(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  if (!record || mutation.version.tick() != record->version.tick()) return apply(record, std::move(mutation), guard);
  return {{Verdict::applied, record->history.entries().back().effect, record->version, record->version, true}, false};
}

Applied delete_leaves_no_tombstone(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (result.changed && record->tombstone) record.reset();
  return result;
}

struct Tooth {
  const char* name;
  const Scenario& scenario;
  Decide decide;
};

class ApplyLinearizabilityTeeth : public testing::TestWithParam<Tooth> {};

TEST_P(ApplyLinearizabilityTeeth, AreFelt) {
  constexpr std::uint64_t runs_max = 200'000;
  std::uint64_t seed = 1;
  while (seed <= runs_max && run_is_linearizable(seed, GetParam().scenario, GetParam().decide)) ++seed;
  EXPECT_LE(seed, runs_max) << "not found wrong";
  RecordProperty("first_wrong_seed", std::to_string(seed));
}

INSTANTIATE_TEST_SUITE_P(Wrong, ApplyLinearizabilityTeeth,
                         testing::Values(Tooth{"NewerAskedFirst", repeats, newer_asked_first},
                                         Tooth{"HistoryOfTwo", repeats, history_of_two},
                                         Tooth{"HistoryOfEight", repeats_of_a_hot_key, history_of_eight},
                                         Tooth{"StampedAgainWithoutProof", long_history, stamped_again_without_proof},
                                         Tooth{"SupersededCountsAsSuccess", repeats, superseded_counts_as_success},
                                         Tooth{"OnlyTheTickCounts", repeats, only_the_tick_counts},
                                         Tooth{"DeleteLeavesNoTombstone", repeats, delete_leaves_no_tombstone}),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace armazem
