// `apply` against a ledger that never forgets, over seeded random histories of one key: duplicates, reordering, re-stamps,
// clients that repeat, conditions, expiries, deletes, purges.
//
// Two judges look at every call: promises that only need the complete list of what was applied, and a plain model that
// predicts the exact answer and the exact record.
//
// ARMAZEM_PROPERTY_SEQUENCES changes how many histories are run, ARMAZEM_SEED runs a single one and shows its steps.
#include <errno.h>  // program_invocation_name
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/apply.h"
#include "core/hybrid_clock.h"

namespace armazem {
namespace {

using Decide = Applied (*)(std::optional<Record>&, Mutation, ApplyGuard);

enum class Judges { promises, promises_and_model };

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr std::uint64_t sequences_default = 1'000'000;
#else
constexpr std::uint64_t sequences_default = 30'000;
#endif

// The ledger ----------------------------------------------------------------------------------------------------------

struct Fact {
  Mutation mutation;
  Effect effect = Effect::created;
};

// Everything ever applied to the key, in the order in which it was applied, also what a purge has removed.
class Ledger {
 public:
  static constexpr std::uint64_t window_ms = 10'000;
  [[nodiscard]] std::span<const Fact> all() const { return facts_; }
  [[nodiscard]] std::span<const Fact> since_purge() const { return all().subspan(purged_); }
  // What the record must know: the last eight, and of the last 512 all of the last ten seconds with the one before them.
  [[nodiscard]] std::span<const Fact> remembered() const {
    const auto facts = since_purge();
    const auto is_young = [&](const Fact& fact) { return fact.mutation.version.ms() + window_ms >= current().ms(); };
    const auto young = static_cast<std::size_t>(std::ranges::count_if(facts, is_young));
    return facts.last(std::min({facts.size(), std::size_t{512}, std::max(std::size_t{8}, young + 1)}));
  }
  [[nodiscard]] bool remembers_all() const { return remembered().size() == since_purge().size(); }
  [[nodiscard]] Version current() const { return since_purge().empty() ? Version() : facts_.back().mutation.version; }

  [[nodiscard]] bool live_at(std::uint64_t ms) const {
    if (since_purge().empty()) return false;
    const Mutation& last = facts_.back().mutation;
    return last.kind == Mutation::Kind::put && (!last.expires_at_ms || *last.expires_at_ms > ms);
  }

  void add(Mutation mutation, Effect effect) { facts_.push_back({std::move(mutation), effect}); }
  void purge() { purged_ = facts_.size(); }

 private:
  std::vector<Fact> facts_;
  std::size_t purged_ = 0;
};

const Fact* with_op(std::span<const Fact> facts, OpId op) {
  const auto found = std::ranges::find_if(facts, [op](const Fact& fact) { return fact.mutation.version.op() == op; });
  return found == facts.end() ? nullptr : &*found;
}

// First judge: promises -----------------------------------------------------------------------------------------------

constexpr std::string_view kept = "";

struct Call {
  Mutation mutation;
  // Only one request has stamped this op id: duplicates and re-stamps, but no client that came again. Then the promises
  // hold without bound; for a client that comes again they hold for the writes of the key that are remembered.
  bool one_request = true;
};

std::string_view judge_applied(const Ledger& ledger, const Call& call) {
  const Version& version = call.mutation.version;
  for (const Fact& fact : ledger.all()) {
    if (fact.mutation.version >= version) return "applied versions strictly increase, purges included";
  }
  const auto must_not_repeat = call.one_request ? ledger.all() : ledger.remembered();
  return with_op(must_not_repeat, version.op()) ? "an operation is applied once" : kept;
}

std::string_view judge_replay(const Ledger& ledger, const Call& call, const Outcome& outcome) {
  const auto known = call.one_request ? ledger.all() : ledger.remembered();
  const Fact* first = with_op(known, call.mutation.version.op());
  if (!first) return "only what was applied is answered as applied";
  const bool same = outcome.effect == first->effect && outcome.version == first->mutation.version;
  return same ? kept : "a replay is answered as the first time";
}

std::string_view judge_superseded(const Ledger& ledger, const Call& call) {
  const Version& version = call.mutation.version;
  for (const Fact& fact : ledger.all()) {
    if (fact.mutation.version == version) return "what was applied is never superseded";
  }
  const auto must_not_know = call.one_request ? ledger.all() : ledger.remembered();
  return with_op(must_not_know, version.op()) ? "what was applied is never superseded" : kept;
}

std::string_view judge_forgotten(const Ledger& ledger, const Call& call) {
  return with_op(ledger.remembered(), call.mutation.version.op()) ? "the last operations are known" : kept;
}

std::string_view judge_indeterminate(const Ledger& ledger, const Call& call, ApplyGuard guard) {
  const Version& version = call.mutation.version;
  const auto overtakes = [&](const Fact& fact) { return fact.mutation.version > version; };
  const bool late = version.ms() + Ledger::window_ms < ledger.current().ms();
  const bool overtaken_by_all = std::ranges::count_if(ledger.since_purge(), overtakes) >= 512;
  if (!late && !overtaken_by_all && version.ms() >= guard.purge_horizon_ms) return "what comes soon enough is decided";
  return judge_forgotten(ledger, call);
}

std::string_view judge_promises(const Ledger& ledger, const Call& call, ApplyGuard guard, const Outcome& outcome) {
  switch (outcome.verdict) {
    case Verdict::applied: return outcome.replayed ? judge_replay(ledger, call, outcome) : judge_applied(ledger, call);
    case Verdict::superseded: return judge_superseded(ledger, call);
    case Verdict::condition_failed:
      return call.mutation.condition.kind == Condition::Kind::none ? "no condition cannot fail" : kept;
    case Verdict::indeterminate: return judge_indeterminate(ledger, call, guard);
    case Verdict::too_old: return judge_forgotten(ledger, call);
    case Verdict::refused: return "only a store refuses";
  }
  return "a verdict exists";
}

// Second judge: the exact answer and the exact record -----------------------------------------------------------------

bool condition_met(const Ledger& ledger, const Mutation& mutation) {
  const bool live = ledger.live_at(mutation.version.ms());
  if (mutation.condition.kind == Condition::Kind::if_absent) return !live;
  if (mutation.condition.kind == Condition::Kind::if_present) return live;
  if (mutation.condition.kind == Condition::Kind::if_version) return live && ledger.current() == mutation.condition.version;
  return true;
}

Outcome predict(const Ledger& ledger, const Mutation& mutation, ApplyGuard guard) {
  const auto known = ledger.remembered();
  const Version current = ledger.current();
  if (const Fact* first = with_op(known, mutation.version.op())) {
    return {Verdict::applied, first->effect, first->mutation.version, current, true};
  }
  const bool older_than_purge = mutation.version.ms() < guard.purge_horizon_ms;
  if (known.empty() && older_than_purge) return {Verdict::too_old, {}, {}, {}, false};
  if (!known.empty() && mutation.version < current) {
    const bool before_them = mutation.version < known.front().mutation.version;
    const bool unknown = ledger.remembers_all() ? older_than_purge : before_them;
    return {unknown ? Verdict::indeterminate : Verdict::superseded, {}, {}, current, false};
  }
  const bool live = ledger.live_at(mutation.version.ms());
  if (!condition_met(ledger, mutation)) return {Verdict::condition_failed, {}, {}, live ? current : Version(), false};
  const Effect effect = mutation.kind == Mutation::Kind::put ? (live ? Effect::replaced : Effect::created)
                                                             : (live ? Effect::deleted : Effect::nothing_to_delete);
  return {Verdict::applied, effect, mutation.version, mutation.version, false};
}

// The newest of what was applied, with what is remembered as its history.
std::optional<Record> predict_record(const Ledger& ledger) {
  if (ledger.since_purge().empty()) return std::nullopt;
  const auto newest = std::ranges::max_element(ledger.since_purge(), {}, [](const Fact& f) { return f.mutation.version; });
  Record record;
  record.tombstone = newest->mutation.kind == Mutation::Kind::remove;
  record.value = newest->mutation.value;
  record.version = newest->mutation.version;
  record.expires_at_ms = newest->mutation.expires_at_ms;
  std::string entries;
  for (const Fact& fact : ledger.remembered()) {
    const Version::Bytes& version = fact.mutation.version.bytes();
    entries.append(version.begin(), version.end()).push_back(static_cast<char>(fact.effect));
  }
  record.history = History::from_bytes(entries, !ledger.remembers_all()).value();
  return record;
}

// A history -----------------------------------------------------------------------------------------------------------

constexpr const char* verdict_names[] = {"applied", "condition_failed", "superseded", "indeterminate", "too_old"};

struct Tally {
  std::uint64_t calls = 0;
  std::uint64_t verdicts[std::size(verdict_names)] = {};
  std::uint64_t replays = 0;
  std::uint64_t resurrections_refused = 0;  // too_old or indeterminate because of a purge
  std::uint64_t long_histories = 0;         // calls on a record that remembers more than eight writes
  std::uint64_t window_passed = 0;          // calls that dropped more than one entry
  std::uint64_t cap_reached = 0;            // calls on a record that remembers all it can

  Tally& operator+=(const Tally& other) {
    calls += other.calls;
    for (std::size_t i = 0; i < std::size(verdicts); ++i) verdicts[i] += other.verdicts[i];
    replays += other.replays;
    resurrections_refused += other.resurrections_refused;
    long_histories += other.long_histories;
    window_passed += other.window_passed;
    cap_reached += other.cap_reached;
    return *this;
  }
};

// What clients, APIs, queue and purge do to one key, drawn from a seed. Three APIs with clocks up to 4 units apart. A unit
// of time is 1 ms, or long enough that the window passes while the key is written. Some histories are longer than what a
// record remembers.
class Sequence {
 public:
  Sequence(std::uint64_t seed, Decide decide, Judges judges) : random_(seed), decide_(decide), judges_(judges) {
    if (seed % longest_every == 0) steps_min_ = 4'500;
    else if (seed % longer_every == 0) steps_min_ = 150;
    if (below(2) == 0) unit_ms_ = 1 + below(steps_min_ > 1'000 ? 4 : 500);
    for (Api& api : apis_) api.skew_ms = below(5) * unit_ms_;
  }

  // The first broken rule, or `kept`.
  std::string_view run() {
    const std::uint64_t steps = steps_min_ + below(40);
    for (std::uint64_t step = 0; step < steps && broken_ == kept; ++step) {
      now_ms_ += below(3) * unit_ms_;
      const std::uint64_t action = below(100);
      if (action < 30) write();
      else if (action < 38) write_directly();
      else if (action < 85) deliver();
      else if (action < 93) repeat();
      else if (action < 97) now_ms_ += below(12) * unit_ms_;
      else if (below(steps_min_) < 40) purge();
    }
    return broken_;
  }

  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] std::string steps() const { return steps_.str(); }
  void show_steps() { shown_ = true; }

 private:
  static constexpr std::uint64_t longer_every = 10;
  static constexpr std::uint64_t longest_every = 5'000;
  static constexpr int restamps_max = 3;

  struct Api {
    std::uint64_t skew_ms = 0;
    Tick last;
  };
  struct Operation {
    Mutation mutation;
    int requests = 0;
  };
  // One API that has a client waiting for this operation.
  struct Request {
    std::size_t operation = 0;
    Version stamp;  // the latest: answers to earlier ones are not listened to
    int restamps = 0;
  };
  struct Message {
    std::size_t request = 0;
    Version stamp;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  Version stamp(OpId op) {
    Api& api = apis_[below(std::size(apis_))];
    api.last = std::max(Tick::from_ms(now_ms_ + api.skew_ms), api.last.next());
    return Version::make(api.last, op);
  }

  std::size_t new_operation() {
    Mutation mutation{Mutation::Kind::put, Key::parse("k").value(), {}, stamp(OpId(random_())), {}, {}};
    if (below(4) == 0) mutation.kind = Mutation::Kind::remove;
    else if (below(8) != 0) mutation.value = {std::to_string(operations_.size()), "text/plain", ValueForm::text};
    if (mutation.kind == Mutation::Kind::put && below(3) == 0) mutation.expires_at_ms = now_ms_ + 1 + below(10) * unit_ms_;
    operations_.push_back({std::move(mutation), 0});
    return operations_.size() - 1;
  }

  std::size_t new_request(std::size_t operation, Version version) {
    ++operations_[operation].requests;
    requests_.push_back({operation, version, 0});
    return requests_.size() - 1;
  }

  void send(std::size_t request) { messages_.push_back({request, requests_[request].stamp}); }

  void write() {
    const std::size_t operation = new_operation();
    send(new_request(operation, operations_[operation].mutation.version));
  }

  // A conditional write: never in the queue, so never delivered twice; often stamped above the record.
  void write_directly() {
    const std::size_t operation = new_operation();
    Mutation& mutation = operations_[operation].mutation;
    mutation.condition.kind = static_cast<Condition::Kind>(1 + below(3));
    const bool of_a_version = mutation.condition.kind == Condition::Kind::if_version;
    if (of_a_version && below(4) != 0) mutation.condition.version = ledger_.current();
    apply_directly(new_request(operation, mutation.version));
  }

  void apply_directly(std::size_t request) {
    Request& mine = requests_[request];
    const Version above = HybridClock::stamp_above(ledger_.current(), mine.stamp.op());
    if (below(2) == 0) mine.stamp = std::max(mine.stamp, above);
    while (hand_over(mine.operation, mine.stamp).verdict == Verdict::superseded && mine.restamps++ < restamps_max) {
      mine.stamp = HybridClock::stamp_above(ledger_.current(), mine.stamp.op());
    }
  }

  // One message in any order; half of them stay and come again. A third of the answers are lost.
  void deliver() {
    if (messages_.empty()) return;
    // Where many pile up, mostly one of the latest: the others are too late to change anything.
    const bool of_the_latest = messages_.size() > 100 && below(4) != 0;
    const std::size_t index = of_the_latest ? messages_.size() - 1 - below(8) : below(messages_.size());
    const Message message = messages_[index];
    if (below(2) == 0) messages_.erase(messages_.begin() + static_cast<std::ptrdiff_t>(index));
    Request& request = requests_[message.request];
    const Outcome outcome = hand_over(request.operation, message.stamp);
    if (outcome.verdict != Verdict::superseded || below(3) == 0 || message.stamp != request.stamp) return;
    if (request.restamps++ == restamps_max) return;
    request.stamp = HybridClock::stamp_above(outcome.current, request.stamp.op());
    send(message.request);
  }

  // A client that saw no answer comes again with the same op id, through any API, to be stamped anew.
  void repeat() {
    if (operations_.empty()) return;
    const std::size_t operation = below(operations_.size());
    const Mutation& mutation = operations_[operation].mutation;
    const std::size_t request = new_request(operation, stamp(mutation.version.op()));
    if (mutation.condition.kind == Condition::Kind::none) send(request);
    else apply_directly(request);
  }

  // As the stores do it: the record must be dead, and both its expiry and its version older than the horizon.
  void purge() {
    const std::uint64_t retention_ms = 24 * unit_ms_;
    if (below(3) != 0) now_ms_ += retention_ms + below(20) * unit_ms_;
    guard_.purge_horizon_ms = std::max(guard_.purge_horizon_ms, now_ms_ - retention_ms);
    if (!record_ || record_->live_at(guard_.purge_horizon_ms - 1)) return;
    if (record_->version.ms() >= guard_.purge_horizon_ms) return;
    if (shown_) steps_ << "purge before " << guard_.purge_horizon_ms << '\n';
    record_.reset();
    ledger_.purge();
  }

  Outcome hand_over(std::size_t operation, Version version) {
    Call call{operations_[operation].mutation, operations_[operation].requests == 1};
    call.mutation.version = version;
    const Outcome expected = predict(ledger_, call.mutation, guard_);
    const std::size_t entries_before = record_ ? record_->history.entries().size() : 0;
    const Applied result = decide_(record_, call.mutation, guard_);
    if (shown_) show(operation, call, result.outcome);
    broken_ = judge_promises(ledger_, call, guard_, result.outcome);
    if (result.changed) ledger_.add(call.mutation, result.outcome.effect);
    if (broken_ == kept && judges_ == Judges::promises_and_model) {
      if (result.outcome != expected) broken_ = "the answer is the model's";
      else if (record_ != predict_record(ledger_)) broken_ = "the record is the model's";
    }
    count(result.outcome, version);
    const std::size_t entries = record_ ? record_->history.entries().size() : 0;
    tally_.long_histories += entries > limits::history_entries_min;
    tally_.window_passed += entries < entries_before;
    tally_.cap_reached += entries == limits::history_entries_max;
    return result.outcome;
  }

  void count(const Outcome& outcome, Version version) {
    ++tally_.calls;
    ++tally_.verdicts[static_cast<std::size_t>(outcome.verdict)];
    tally_.replays += outcome.replayed;
    const bool refused = outcome.verdict == Verdict::too_old || outcome.verdict == Verdict::indeterminate;
    tally_.resurrections_refused += refused && version.ms() < guard_.purge_horizon_ms;
  }

  void show(std::size_t operation, const Call& call, const Outcome& outcome) {
    static constexpr const char* effects[] = {"created", "replaced", "deleted", "nothing_to_delete"};
    static constexpr const char* conditions[] = {"", " if_absent", " if_present", " if_version"};
    steps_ << (call.mutation.kind == Mutation::Kind::put ? "put " : "remove ") << operation << ' '
           << call.mutation.version.text() << conditions[static_cast<std::size_t>(call.mutation.condition.kind)] << " -> "
           << verdict_names[static_cast<std::size_t>(outcome.verdict)];
    if (outcome.verdict == Verdict::applied) steps_ << ' ' << effects[static_cast<std::size_t>(outcome.effect)];
    steps_ << (outcome.replayed ? " (replayed)\n" : "\n");
  }

  std::mt19937_64 random_;
  Decide decide_;
  Judges judges_;
  Api apis_[3];
  std::uint64_t steps_min_ = 8;
  std::uint64_t unit_ms_ = 1;
  std::uint64_t now_ms_ = 1'000'000;
  ApplyGuard guard_;
  std::optional<Record> record_;
  Ledger ledger_;
  std::vector<Operation> operations_;
  std::vector<Request> requests_;
  std::vector<Message> messages_;
  std::string_view broken_ = kept;
  Tally tally_;
  bool shown_ = false;
  std::ostringstream steps_;
};

// Many histories ------------------------------------------------------------------------------------------------------

struct Violation {
  std::uint64_t seed = 0;
  std::string_view rule = kept;
};

struct Report {
  Tally tally;
  std::optional<Violation> violation;
};

// On every core; ends early once a rule is broken.
Report run_sequences(Decide decide, Judges judges, std::uint64_t first_seed, std::uint64_t count) {
  Report report;
  std::mutex mutex;
  std::atomic<bool> stop = false;
  const std::uint64_t workers = std::max(1U, std::thread::hardware_concurrency());
  const auto work = [&](std::uint64_t worker) {
    Tally tally;
    std::optional<Violation> violation;
    for (std::uint64_t seed = first_seed + worker; seed < first_seed + count && !stop; seed += workers) {
      Sequence sequence(seed, decide, judges);
      const std::string_view rule = sequence.run();
      tally += sequence.tally();
      if (rule == kept) continue;
      violation = {seed, rule};
      stop = true;
    }
    const std::lock_guard lock(mutex);
    report.tally += tally;
    if (violation) report.violation = violation;
  };
  std::vector<std::thread> threads;
  for (std::uint64_t worker = 0; worker < workers; ++worker) threads.emplace_back(work, worker);
  for (std::thread& thread : threads) thread.join();
  return report;
}

std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text ? std::optional(std::strtoull(text, nullptr, 10)) : std::nullopt;
}

std::string explain(Decide decide, Judges judges, const Violation& violation) {
  Sequence again(violation.seed, decide, judges);
  again.show_steps();
  again.run();
  return "broken: " + std::string(violation.rule) + "\n" + again.steps() + "replay with: ARMAZEM_SEED=" +
         std::to_string(violation.seed) + " " + program_invocation_name + " --gtest_filter=ApplyProperty.*";
}

TEST(ApplyProperty, KeepsEveryPromiseInEveryHistory) {
  const auto seed = number_from_environment("ARMAZEM_SEED");
  const std::uint64_t sequences = number_from_environment("ARMAZEM_PROPERTY_SEQUENCES").value_or(sequences_default);
  constexpr Judges judges = Judges::promises_and_model;
  const Report report = run_sequences(apply, judges, seed.value_or(1), seed ? 1 : sequences);
  EXPECT_FALSE(report.violation.has_value()) << explain(apply, judges, *report.violation);
  if (seed && !report.violation) std::cout << explain(apply, judges, {*seed, "nothing"}) << '\n';
  RecordProperty("calls", std::to_string(report.tally.calls));
  RecordProperty("replays", std::to_string(report.tally.replays));
  for (std::size_t i = 0; i < std::size(verdict_names); ++i) {
    RecordProperty(verdict_names[i], std::to_string(report.tally.verdicts[i]));
  }
}

// A generator that never gets to a rule would prove nothing about it.
TEST(ApplyProperty, TheHistoriesReachEveryRule) {
  const Report report = run_sequences(apply, Judges::promises_and_model, 1, 20'000);
  EXPECT_FALSE(report.violation.has_value());
  const Tally& tally = report.tally;
  const auto share = [&](std::uint64_t part) { return static_cast<double>(part) / static_cast<double>(tally.calls); };
  const auto verdict = [&](Verdict v) { return share(tally.verdicts[static_cast<std::size_t>(v)]); };
  EXPECT_GT(verdict(Verdict::applied) - share(tally.replays), 0.2);
  EXPECT_GT(share(tally.replays), 0.1);
  EXPECT_GT(verdict(Verdict::superseded), 0.05);
  EXPECT_GT(verdict(Verdict::condition_failed), 0.01);
  EXPECT_GT(verdict(Verdict::indeterminate), 0.005);
  EXPECT_GT(verdict(Verdict::too_old), 0.002);
  EXPECT_GT(share(tally.resurrections_refused), 0.002);
  EXPECT_GT(share(tally.long_histories), 0.05);
  EXPECT_GT(share(tally.window_passed), 0.002);
  EXPECT_GT(tally.cap_reached, 500U);
}

// Teeth: rules that look right and are wrong, each found by the promise it breaks -------------------------------------

template <class Keeps>
void filter_history(Record& record, Keeps keeps) {
  const History before = std::exchange(record.history, {});
  for (const HistoryEntry& entry : before.entries()) {
    if (keeps(entry)) record.history.push(entry);
  }
}

Applied eight_are_enough(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (!result.changed || record->history.entries().size() <= 8) return result;
  const Version oldest_kept = record->history.entries().end()[-8].version;
  filter_history(*record, [&](const HistoryEntry& entry) { return entry.version >= oldest_kept; });
  return result;
}

// As if eight entries always meant that older ones were dropped.
Applied eight_prove_nothing_before_them(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Version version = mutation.version;
  Applied result = apply(record, std::move(mutation), guard);
  const auto entries = record ? record->history.entries() : std::span<const HistoryEntry>();
  const bool before_them = entries.size() >= 8 && version < entries.front().version;
  if (result.outcome.verdict == Verdict::superseded && before_them) result.outcome.verdict = Verdict::indeterminate;
  return result;
}

// Drops what is out of the window itself, not what lies behind the first that is.
Applied nothing_before_the_window_is_kept(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (!result.changed) return result;
  const History before = std::exchange(record->history, {});
  const auto entries = before.entries();
  std::size_t first = 0;
  while (entries.size() - first > 8 && entries[first].version.ms() + Ledger::window_ms < record->version.ms()) ++first;
  const bool has_dropped = before.has_dropped() || first > 0;
  record->history = History::from_bytes(before.bytes().substr(first * sizeof(HistoryEntry)), has_dropped).value();
  return result;
}

Applied newer_asked_first(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  if (record && mutation.version > record->version) {
    filter_history(*record, [&](const HistoryEntry& entry) { return entry.version.op() != mutation.version.op(); });
  }
  return apply(record, std::move(mutation), guard);
}

Applied delete_forgets_the_history(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (result.changed && record->tombstone) {
    filter_history(*record, [&](const HistoryEntry& entry) { return entry.version == record->version; });
  }
  return result;
}

Applied delete_leaves_no_tombstone(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Applied result = apply(record, std::move(mutation), guard);
  if (result.changed && record->tombstone) record.reset();
  return result;
}

Applied unknown_counts_as_superseded(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  Applied result = apply(record, std::move(mutation), guard);
  if (result.outcome.verdict == Verdict::indeterminate) result.outcome.verdict = Verdict::superseded;
  return result;
}

Applied purge_is_ignored(std::optional<Record>& record, Mutation mutation, ApplyGuard) {
  return apply(record, std::move(mutation), {});
}

Applied superseded_counts_as_failed_condition(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  Applied result = apply(record, std::move(mutation), guard);
  if (result.outcome.verdict == Verdict::superseded) result.outcome.verdict = Verdict::condition_failed;
  return result;
}

Applied replay_answers_what_holds_now(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  Applied result = apply(record, std::move(mutation), guard);
  if (result.outcome.replayed) result.outcome.version = result.outcome.current;
  return result;
}

Applied superseded_counts_as_applied(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  Applied result = apply(record, std::move(mutation), guard);
  if (result.outcome.verdict == Verdict::superseded) {
    result.outcome = {Verdict::applied, Effect::replaced, mutation.version, result.outcome.current, true};
  }
  return result;
}

Applied expiry_is_seen_one_millisecond_late(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const auto shift = [&](std::uint64_t by) {
    if (record && record->expires_at_ms) *record->expires_at_ms += by;
  };
  shift(1);
  const Applied result = apply(record, std::move(mutation), guard);
  if (!result.changed) shift(~std::uint64_t{0});
  return result;
}

struct Tooth {
  const char* name;
  Decide decide;
  Judges judges;
  std::string_view rule;  // that must be seen broken
};

class ApplyPropertyTeeth : public testing::TestWithParam<Tooth> {};

TEST_P(ApplyPropertyTeeth, AreFelt) {
  const Tooth& tooth = GetParam();
  std::set<std::string_view> broken;
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) broken.insert(Sequence(seed, tooth.decide, tooth.judges).run());
  EXPECT_TRUE(broken.contains(tooth.rule)) << testing::PrintToString(broken);
}

INSTANTIATE_TEST_SUITE_P(
    Promise, ApplyPropertyTeeth,
    testing::Values(
        Tooth{"NewerAskedFirst", newer_asked_first, Judges::promises, "an operation is applied once"},
        Tooth{"DeleteForgetsTheHistory", delete_forgets_the_history, Judges::promises,
              "the last operations are known"},
        Tooth{"EightAreEnough", eight_are_enough, Judges::promises, "an operation is applied once"},
        Tooth{"EightProveNothingBeforeThem", eight_prove_nothing_before_them, Judges::promises,
              "what comes soon enough is decided"},
        Tooth{"NothingBeforeTheWindowIsKept", nothing_before_the_window_is_kept, Judges::promises,
              "what comes soon enough is decided"},
        Tooth{"DeleteLeavesNoTombstone", delete_leaves_no_tombstone, Judges::promises,
              "applied versions strictly increase, purges included"},
        Tooth{"PurgeIsIgnored", purge_is_ignored, Judges::promises, "applied versions strictly increase, purges included"},
        Tooth{"UnknownCountsAsSuperseded", unknown_counts_as_superseded, Judges::promises,
              "what was applied is never superseded"},
        Tooth{"SupersededCountsAsApplied", superseded_counts_as_applied, Judges::promises,
              "only what was applied is answered as applied"},
        Tooth{"SupersededCountsAsFailedCondition", superseded_counts_as_failed_condition, Judges::promises,
              "no condition cannot fail"},
        Tooth{"ReplayAnswersWhatHoldsNow", replay_answers_what_holds_now, Judges::promises,
              "a replay is answered as the first time"}),
    [](const auto& instance) { return std::string(instance.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Model, ApplyPropertyTeeth,
    testing::Values(
        Tooth{"ExpiryIsSeenOneMillisecondLate", expiry_is_seen_one_millisecond_late, Judges::promises_and_model,
              "the answer is the model's"},
        Tooth{"DeleteForgetsTheHistory", delete_forgets_the_history, Judges::promises_and_model,
              "the record is the model's"},
        Tooth{"EightAreEnough", eight_are_enough, Judges::promises_and_model, "the record is the model's"}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace armazem
