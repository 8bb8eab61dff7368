#include "worker/worker.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/planted.h"
#include "core/task_scope.h"
#include "runtime/log.h"

namespace armazem {
namespace {

constexpr std::chrono::milliseconds idle_wait{1'000};      // a lane looks up from an empty queue so often
constexpr std::chrono::milliseconds health_interval{500};  // and a suspended worker at the store
constexpr std::chrono::milliseconds set_aside_timeout{10'000};

// Errors of a tier that is away or busy: the mutation itself is not at fault.
bool is_infrastructure(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::overloaded:
    case ErrorCode::unavailable:
    case ErrorCode::storage_full:
    case ErrorCode::deadline_exceeded:
    case ErrorCode::outcome_unknown:
    case ErrorCode::not_yet_visible:
    case ErrorCode::precondition: return true;
    case ErrorCode::invalid_argument:
    case ErrorCode::data_damaged:
    case ErrorCode::internal: return false;
  }
  return true;
}

void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) noexcept {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

}  // namespace

Worker::Worker(QueueConsumer& consumer, Applier& applier, Store& store, const TimeSource& time, WorkerOptions options)
    : consumer_(consumer),
      applier_(applier),
      store_(store),
      time_(time),
      options_(options),
      jitter_(options.jitter_seed ? *options.jitter_seed : std::random_device{}()) {}

Task<void> Worker::run() {
  Executor& home = co_await this_executor();
  TaskScope scope(home);
  scope.spawn(adapt());
  for (std::size_t number = 0; number < options_.lanes_max; ++number) scope.spawn(lane(number));
  co_await scope.join();
}

void Worker::stop() {
  stopping_.store(true);
  consumer_.close();
}

Task<void> Worker::lane(std::size_t number) {
  while (!stopping_.load()) {
    if (number >= lanes_.load() || suspended_.load()) {
      co_await sleep_until(time_.now() + options_.adapt_interval / 2);
      continue;
    }
    const Deadline look_up = Deadline::after(time_.now(), idle_wait);
    std::vector<Delivery> deliveries =
        co_await consumer_.take(options_.batch_mutations_max, options_.batch_bytes_max, look_up);
    if (!deliveries.empty()) co_await work(std::move(deliveries));
  }
}

Task<void> Worker::adapt() {
  while (!stopping_.load()) {
    const std::uint64_t depth = consumer_.depth();
    const std::size_t now = lanes_.load();
    if (depth > options_.depth_to_grow && now < options_.lanes_max) lanes_.store(now + 1);
    if (depth < options_.depth_to_shrink && now > 1) lanes_.store(now - 1);
    co_await sleep_until(time_.now() + options_.adapt_interval);
  }
}

Task<void> Worker::work(std::vector<Delivery> deliveries) {
  const MonotonicTime begun = time_.now();
  std::vector<Mutation> mutations;
  std::vector<std::size_t> ends;  // of each delivery's mutations
  for (Delivery& delivery : deliveries) {
    if (delivery.redelivered) add(counters_.redelivered);
    std::ranges::move(delivery.mutations, std::back_inserter(mutations));
    ends.push_back(mutations.size());
    if (planted(Bug::ack_before_commit)) consumer_.acknowledge({&delivery.id, 1});
  }
  std::vector<Outcome> outcomes;
  for (std::size_t done = 0; done < mutations.size(); done = outcomes.size()) {
    const std::size_t size = std::min(options_.batch_mutations_max, mutations.size() - done);
    const Fate fate = co_await decide(std::span(mutations).subspan(done, size), outcomes);
    if (fate == Fate::given_back) co_return;
  }
  const Fate set = co_await set_aside_hopeless(mutations, outcomes);
  if (set == Fate::given_back) co_return;
  answer(deliveries, ends, mutations, outcomes);
  batch_time_.observe(std::chrono::duration_cast<std::chrono::microseconds>(time_.now() - begun));
}

// One message per server and batch.
void Worker::answer(std::span<const Delivery> deliveries, std::span<const std::size_t> ends,
                    std::span<const Mutation> mutations, std::span<const Outcome> outcomes) {
  std::map<std::string, std::vector<Reply>> replies;
  std::vector<std::uint64_t> ids;
  std::size_t i = 0;
  for (std::size_t d = 0; d < deliveries.size(); ++d) {
    ids.push_back(deliveries[d].id);
    std::vector<Reply>* const to = deliveries[d].reply_to.empty() ? nullptr : &replies[deliveries[d].reply_to];
    for (; i < ends[d]; ++i) {
      if (to != nullptr) to->push_back({mutations[i].version, outcomes[i]});
    }
  }
  for (auto& [reply_to, list] : replies) consumer_.reply(reply_to, std::move(list));
  consumer_.acknowledge(ids);
}

Task<Worker::Fate> Worker::decide(std::span<const Mutation> mutations, std::vector<Outcome>& outcomes) {
  const MonotonicTime failing_since = time_.now();
  for (int tries = 0;; ++tries) {
    std::vector<Mutation> batch(mutations.begin(), mutations.end());
    const Deadline deadline = Deadline::after(time_.now(), options_.store_timeout);
    const Result<std::vector<Outcome>> decided = co_await applier_.apply(std::move(batch), guard(), deadline);
    if (decided) {
      add(counters_.batches);
      for (std::size_t i = 0; i < mutations.size(); ++i) count(mutations[i], (*decided)[i]);
      outcomes.insert(outcomes.end(), decided->begin(), decided->end());
      co_return Fate::decided;
    }
    add(counters_.store_errors);
    if (!is_infrastructure(decided.error().code))
      co_return co_await decide_halves(mutations, outcomes, decided.error());
    const Fate fate = co_await pause("a batch could not be applied", tries, failing_since, decided.error());
    if (fate == Fate::given_back) co_return fate;
  }
}

// The batch as a whole is refused: smaller ones find the mutation that is at fault.
Task<Worker::Fate> Worker::decide_halves(std::span<const Mutation> mutations, std::vector<Outcome>& outcomes,
                                         Error error) {
  if (mutations.size() == 1) {
    log::error("the store refuses a mutation",
               {{"version", mutations.front().version.text()}, {"reason", error.message}});
    outcomes.push_back({Verdict::refused, {}, {}, {}, false});
    co_return Fate::decided;
  }
  const std::size_t half = mutations.size() / 2;
  const Fate first = co_await decide(mutations.first(half), outcomes);
  if (first == Fate::given_back) co_return first;
  co_return co_await decide(mutations.subspan(half), outcomes);
}

Task<Worker::Fate> Worker::set_aside_hopeless(std::span<const Mutation> mutations, std::span<const Outcome> outcomes) {
  for (std::size_t i = 0; i < mutations.size(); ++i) {
    const Verdict verdict = outcomes[i].verdict;
    if (verdict != Verdict::too_old && verdict != Verdict::refused) continue;
    const Fate fate = co_await set_aside(mutations[i], verdict == Verdict::too_old);
    if (fate == Fate::given_back) co_return fate;
  }
  co_return Fate::decided;
}

// When that fails for long nothing is acknowledged, so nothing is lost: the message comes again, and what was applied is
// then found to be.
Task<Worker::Fate> Worker::set_aside(const Mutation& mutation, bool too_old) {
  const MonotonicTime failing_since = time_.now();
  for (int tries = 0;; ++tries) {
    const DeadReason reason = too_old ? DeadReason::too_old : DeadReason::rejected;
    const std::string detail = too_old ? "older than the retention, and its key has no record to compare it with"
                                       : "the store refuses this mutation by itself";
    const Deadline deadline = Deadline::after(time_.now(), set_aside_timeout);
    const Result<void> done = co_await consumer_.set_aside(mutation, reason, detail, deadline);
    if (done) {
      add(counters_.set_aside);
      log::warn("a mutation was set aside", {{"reason", to_string(reason)}, {"version", mutation.version.text()}});
      co_return Fate::decided;
    }
    const Fate fate = co_await pause("a mutation could not be set aside", tries, failing_since, done.error());
    if (fate == Fate::given_back) co_return fate;
  }
}

Task<Worker::Fate> Worker::pause(std::string_view what, int tries, MonotonicTime failing_since, Error error) {
  if (tries == 0) log::warn(what, {{"reason", error.message}, {"next", "tried again"}});
  if (stopping_.load()) co_return Fate::given_back;  // the consumer's end gives back what is not acknowledged
  if (suspended_.load() || failing_since + options_.hold_max < time_.now()) {
    co_await give_back();
    co_return Fate::given_back;
  }
  const auto longest = std::min(options_.backoff_max, options_.backoff_first * (1 << std::min(tries, 10)));
  std::uniform_int_distribution<std::int64_t> spread(longest.count() / 2, longest.count());
  const std::chrono::milliseconds wait(spread(jitter_));
  co_await sleep_until(time_.now() + wait);
  co_return Fate::decided;
}

// Another worker may reach the store; this one takes nothing until it does too.
Task<void> Worker::give_back() {
  if (suspended_.exchange(true)) co_return;  // another lane is at it
  add(counters_.releases);
  log::warn("all messages go back to the queue until the store answers");
  consumer_.release();
  bool well = false;
  while (!stopping_.load() && !well) {
    co_await sleep_until(time_.now() + health_interval);
    const Deadline deadline = Deadline::after(time_.now(), health_interval);
    const StoreHealth health = co_await store_.health(deadline);
    well = health.ok;
  }
  if (well) log::info("the store answers again");
  consumer_.resume();
  suspended_.store(false);
}

ApplyGuard Worker::guard() const noexcept {
  const auto margin = std::min(options_.retention_margin, options_.retention / 2);  // never more than there is
  const auto span = static_cast<std::uint64_t>((options_.retention - margin).count());
  const std::uint64_t now_ms = time_.wall_ms();
  return {now_ms > span ? now_ms - span : 0};
}

void Worker::count(const Mutation& mutation, const Outcome& outcome) {
  add(counters_.mutations);
  switch (outcome.verdict) {
    case Verdict::applied: {
      if (outcome.replayed) {
        add(counters_.replayed);
        break;
      }
      add(counters_.applied);
      const auto ms = static_cast<std::int64_t>(time_.wall_ms()) - static_cast<std::int64_t>(mutation.version.ms());
      delay_.observe(std::chrono::milliseconds(ms));
      break;
    }
    case Verdict::superseded: add(counters_.superseded); break;
    case Verdict::indeterminate: add(counters_.indeterminate); break;
    case Verdict::too_old: add(counters_.too_old); break;
    case Verdict::refused:
    case Verdict::condition_failed: break;
  }
}

Worker::Figures Worker::figures() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  const Counters& c = counters_;
  Figures figures;
  figures.batches = read(c.batches);
  figures.mutations = read(c.mutations);
  figures.redelivered = read(c.redelivered);
  figures.applied = read(c.applied);
  figures.replayed = read(c.replayed);
  figures.superseded = read(c.superseded);
  figures.indeterminate = read(c.indeterminate);
  figures.too_old = read(c.too_old);
  figures.set_aside = read(c.set_aside);
  figures.store_errors = read(c.store_errors);
  figures.releases = read(c.releases);
  figures.lanes = lanes_.load();
  figures.suspended = suspended_.load();
  return figures;
}

}  // namespace armazem
