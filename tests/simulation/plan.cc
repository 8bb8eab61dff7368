#include "simulation/plan.h"

#include <array>

namespace armazem::sim {
namespace {

using Kind = Fault::Kind;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count)> fault_names{
    "crash an API", "crash a worker", "pause an API", "pause a worker", "step a clock", "set a clock far off",
    "store: outage", "store: loss of power", "store: hangs", "store: slow", "store: conflicts", "store: answers lost", "store: requests lost", "store: cut off",
    "cache: outage", "cache: failover", "cache: restart", "cache: eviction", "cache: slow", "cache: answers lost", "cache: cut off",
    "queue: blocked", "queue: publisher's connection lost", "queue: consumer's connection lost", "queue: failover", "queue: nacks", "queue: unroutable",
    "queue: confirms lost", "queue: publishes lost", "queue: replies lost", "queue: delivered twice", "queue: reordered", "queue: slow", "queue: cut off",
    "client: answers lost"};

milliseconds ms(std::uint64_t count) { return milliseconds(static_cast<std::int64_t>(count)); }

template <class T, std::size_t n>
T one_of(Random& random, const T (&all)[n]) {
  return all[random.below(n)];
}

// Small bounds, so that what is rare in production is common here.
Settings make_settings(Random random, unsigned size) {
  Settings s;
  s.apis = random.chance(80) ? 2 : random.between(1, 3);
  s.workers = random.chance(75) ? 2 : random.between(1, 3);
  s.clients = static_cast<std::uint32_t>(random.between(2, 3));
  s.keys = random.chance(70) ? 1 : 2;
  if (size > 1) s.keys += static_cast<std::uint32_t>(random.below(size));
  s.partitions = random.chance(70) ? 1 : 2;
  s.with_cache = random.chance(90);
  s.with_queue = random.chance(88);
  const bool short_retention = random.chance(12);
  const std::int64_t skew = short_retention ? 50 : one_of(random, {0, 0, 3, 40, 400, 3'000});
  const auto offset = [&] {
    return skew == 0 ? 0 : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * skew + 1))) - skew;
  };
  for (std::size_t i = 0; i < s.apis; ++i) s.api_clock_ms.push_back(offset());
  for (std::size_t i = 0; i < s.workers; ++i) s.worker_clock_ms.push_back(offset());
  s.prefetch = one_of<std::size_t>(random, {1, 2, 8, 64});

  s.cache.ttl_ms = one_of<std::uint64_t>(random, {300, 700, 60'000});
  s.cache.lease_ttl_ms = one_of<std::uint64_t>(random, {20, 100, 200});
  s.applier.cache_timeout = ms(random.between(10, 60));

  s.enqueuer.message_mutations_max = one_of<std::size_t>(random, {1, 2, 256});
  s.enqueuer.messages_in_flight_max = one_of<std::size_t>(random, {1, 2, 4});
  s.enqueuer.pending_mutations_max = random.chance(90) ? 16'384 : 1;
  s.enqueuer.confirm_timeout = ms(random.between(50, 300));
  s.enqueuer.silence_after = ms(random.between(15, 100));
  s.enqueuer.probe_interval = ms(random.between(20, 100));
  s.enqueuer.workers_silent_after = ms(random.between(30, 300));
  s.enqueuer.overtaken_after = ms(random.between(10, 100));
  s.enqueuer.replies_awaited = ms(random.chance(50) ? 0 : random.between(5, 50));

  s.batcher.batch_mutations_max = one_of<std::size_t>(random, {1, 2, 512});
  s.batcher.pending_mutations_max = random.chance(90) ? 16'384 : 1;
  s.batcher.store_timeout = ms(random.between(50, 400));
  s.writer.queue_wait = ms(random.between(20, 400));
  s.writer.store_timeout = ms(random.between(50, 500));
  s.writer.ahead_for = ms(300);

  s.reader.cache_timeout = ms(random.between(5, 40));
  s.reader.store_reads_max = random.chance(90) ? 2'048 : 1;
  s.reader.session_wait = ms(random.between(20, 200));
  s.reader.session_poll = ms(5);
  s.reader.writes_may_be_pending = s.with_queue;

  s.worker.lanes_max = random.between(1, 2);
  s.worker.batch_mutations_max = one_of<std::size_t>(random, {1, 2, 512});
  s.worker.store_timeout = ms(random.between(50, 400));
  s.worker.backoff_first = ms(5);
  s.worker.backoff_max = ms(40);
  s.worker.hold_max = ms(random.between(30, 200));
  s.worker.adapt_interval = ms(100);
  s.worker.depth_to_grow = 1;
  s.worker.depth_to_shrink = 1;
  s.worker.jitter_seed = static_cast<std::uint32_t>(random.next());

  if (short_retention) {
    s.reader.retention = s.worker.retention = s.operations.retention = ms(2'500);
    s.worker.retention_margin = ms(250);
  }
  if (s.with_queue) s.operations.pending_max = s.operations.retention;
  s.client_patience = random.between(300, 1'500) * 1'000;
  return s;
}

Operation make_operation(Random random, const Settings& settings, std::uint32_t number) {
  Operation o;
  o.client = static_cast<std::uint32_t>(random.below(settings.clients));
  o.key = static_cast<std::uint32_t>(random.below(settings.keys));
  o.value = number + 1;
  o.pause = random.chance(55) ? random.below(1'500) : random.spread(1'500, 600'000);
  o.api = random.below(settings.apis);
  const std::uint64_t kind = random.below(100);
  o.kind = kind < 42 ? checker::Kind::put : kind < 54 ? checker::Kind::remove : checker::Kind::get;
  if (o.kind == checker::Kind::get) {
    const std::uint64_t level = random.below(100);
    o.level = level < 45 ? checker::Level::strong : level < 75 ? checker::Level::cached : checker::Level::session;
    return o;
  }
  const std::uint64_t condition = random.below(100);
  if (condition < 8) o.condition = Operation::Wish::if_absent;
  if (condition >= 8 && condition < 11) o.condition = Operation::Wish::if_present;
  if (condition >= 11 && condition < 20) o.condition = Operation::Wish::if_seen;
  if (o.kind == checker::Kind::remove && o.condition == Operation::Wish::if_absent) o.condition = Operation::Wish::none;
  o.tries = random.chance(45) ? static_cast<unsigned>(random.between(2, 3)) : 1;
  o.with_token = random.chance(25);
  o.respond_async = o.condition == Operation::Wish::none && random.chance(12);
  o.patient = random.chance(15);
  return o;
}

Fault make_fault(Random random, const Settings& settings, Microseconds until) {
  Fault f;
  f.kind = static_cast<Kind>(random.below(static_cast<std::uint64_t>(Kind::count)));
  // Half of all trouble is about processes, whose state is ours.
  if (random.chance(35)) f.kind = random.chance(50) ? Kind::crash_api : Kind::crash_worker;
  f.at = random.chance(60) ? random.below(10'000) : random.below(until);
  if (random.chance(70)) f.step = random.between(1, 60);
  f.of_worker = random.chance(50);
  const bool of_worker = f.of_worker || f.kind == Kind::crash_worker || f.kind == Kind::pause_worker || f.kind == Kind::queue_consumer_lost;
  f.process = random.below(of_worker ? settings.workers : settings.apis);
  f.span = random.spread(1'000, 800'000);
  f.amount = random.between(1, 4);
  const bool back = random.chance(50);
  f.by_ms = static_cast<std::int64_t>(random.spread(1, 20'000));
  if (f.kind == Kind::clock_far) f.by_ms = one_of<std::int64_t>(random, {3'600'000, 86'400'000, 400'000'000});
  if (back) f.by_ms = -f.by_ms;
  return f;
}

}  // namespace

std::string_view name_of(Fault::Kind kind) noexcept { return fault_names[static_cast<std::size_t>(kind)]; }

Plan make_plan(std::uint64_t seed, unsigned size) {
  const Random root(seed);
  Plan plan;
  plan.seed = seed;
  plan.settings = make_settings(root.stream(10), size);
  Random counts = root.stream(11);
  const std::uint64_t operations = counts.between(8, 20) * size;
  // Some keys are hot: more writes than a record remembers.
  const std::uint64_t more = counts.chance(8) ? 16 : 0;
  const std::uint64_t faults = counts.chance(10) ? 0 : counts.between(1, 3) * size;
  for (std::uint64_t i = 0; i < operations + more; ++i) {
    plan.operations.push_back(make_operation(root.stream(1'000 + i), plan.settings, static_cast<std::uint32_t>(i)));
  }
  const Microseconds until = 400'000 * size;
  for (std::uint64_t i = 0; i < faults; ++i) plan.faults.push_back(make_fault(root.stream(500'000 + i), plan.settings, until));
  return plan;
}

std::string describe(const Operation& o) {
  static constexpr std::array<std::string_view, 3> kinds{"put", "delete", "get"};
  static constexpr std::array<std::string_view, 3> levels{"cached", "session", "strong"};
  static constexpr std::array<std::string_view, 4> wishes{"", " if absent", " if present", " if it is what was seen"};
  std::string text = "client " + std::to_string(o.client) + ": after " + std::to_string(o.pause) + " us " +
                     std::string(kinds[static_cast<std::size_t>(o.kind)]) + " k" + std::to_string(o.key);
  if (o.kind == checker::Kind::get) return text + " " + std::string(levels[static_cast<std::size_t>(o.level)]);
  if (o.kind == checker::Kind::put) text += " = " + std::to_string(o.value);
  text += wishes[static_cast<std::size_t>(o.condition)];
  if (o.tries > 1) text += ", up to " + std::to_string(o.tries) + " tries";
  if (o.with_token) text += ", with token";
  if (o.respond_async) text += ", respond-async";
  if (o.patient) text += ", waits";
  return text;
}

std::string describe(const Fault& f) {
  std::string text(name_of(f.kind));
  const bool crash = f.kind == Kind::crash_api || f.kind == Kind::crash_worker;
  text += crash && f.step != 0 ? " at its step " + std::to_string(f.step) : " at " + std::to_string(f.at) + " us";
  return text + ", for " + std::to_string(f.span) + " us, amount " + std::to_string(f.amount) + ", " +
         (f.of_worker ? "worker " : "process ") + std::to_string(f.process) + ", by " + std::to_string(f.by_ms) + " ms";
}

std::string describe(const Settings& s) {
  std::string text = std::to_string(s.apis) + " APIs, " + std::to_string(s.workers) + " workers, " + std::to_string(s.clients) +
                     " clients, " + std::to_string(s.keys) + " keys, " + std::to_string(s.partitions) + " queues";
  if (!s.with_cache) text += ", no cache";
  if (!s.with_queue) text += ", no queue";
  text += "; cache ttl " + std::to_string(s.cache.ttl_ms) + " ms; clocks (ms):";
  for (const std::int64_t ahead : s.api_clock_ms) text += " " + std::to_string(ahead);
  text += " |";
  for (const std::int64_t ahead : s.worker_clock_ms) text += " " + std::to_string(ahead);
  return text;
}

}  // namespace armazem::sim
