// What the store on PostgreSQL's protocol takes without HTTP: rows per second in batches, and gets per second.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <random>

#include "adapters/postgres/postgres_store.h"
#include "app/system_time.h"
#include "core/hybrid_clock.h"
#include "core/task_scope.h"

namespace armazem {
namespace {

struct Settings {
  std::string url;
  std::size_t batch = 0;
  std::size_t parallel = 1;
  std::size_t keys = 200'000;
  std::size_t value_bytes = 200;
  std::size_t read_connections = 1;
  double seconds = 3;
  bool load = false;
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "armazem_postgres_bench: %s\n", error.message.c_str());
  std::exit(1);
}

std::string name_of(std::uint64_t number) {
  return "key:" + std::to_string(1'000'000'000 + number * 2'654'435'761 % 1'000'000'007);
}

// All clients run on the store's own loop, as a server's requests do.
struct Run {
  PostgresStore& store;
  const Settings& settings;
  HybridClock& clock;
  const MonotonicTime end;
  std::vector<double> latencies_us;
  std::uint64_t operations = 0;
};

std::vector<Mutation> next_batch(Run& run, std::mt19937_64& random, std::size_t client) {
  std::vector<Mutation> batch;
  const std::size_t own = run.settings.keys / run.settings.parallel;
  while (batch.size() < run.settings.batch) {
    const std::uint64_t number = client * own + random() % own;
    batch.push_back({Mutation::Kind::put,
                     Key::parse(name_of(number)).value(),
                     {std::string(run.settings.value_bytes, 'b'), "text/plain", ValueForm::text},
                     run.clock.stamp(OpId(random())),
                     {},
                     {}});
  }
  return batch;
}

Task<void> write(Run& run, std::size_t client) {
  std::mt19937_64 random(std::random_device{}());
  while (MonotonicClock::now() < run.end) {
    std::vector<Mutation> batch = next_batch(run, random, client);
    const MonotonicTime begin = MonotonicClock::now();
    ApplyGuard unguarded;
    const auto outcomes = co_await run.store.apply(std::move(batch), unguarded, Deadline::none());
    if (!outcomes) give_up(outcomes.error());
    run.latencies_us.push_back(std::chrono::duration<double, std::micro>(MonotonicClock::now() - begin).count());
    run.operations += outcomes->size();
  }
}

Task<void> read(Run& run) {
  std::mt19937_64 random(std::random_device{}());
  while (MonotonicClock::now() < run.end) {
    const Key key = Key::parse(name_of(random() % run.settings.keys)).value();
    const MonotonicTime begin = MonotonicClock::now();
    const auto record = co_await run.store.get(key, Deadline::none());
    if (!record) give_up(record.error());
    run.latencies_us.push_back(std::chrono::duration<double, std::micro>(MonotonicClock::now() - begin).count());
    ++run.operations;
  }
}

Task<void> load(Run& run) {
  for (std::uint64_t done = 0; done < run.settings.keys;) {
    std::vector<Mutation> batch;
    for (; batch.size() < limits::batch_mutations_max && done < run.settings.keys; ++done) {
      batch.push_back({Mutation::Kind::put,
                       Key::parse(name_of(done)).value(),
                       {std::string(run.settings.value_bytes, 'a'), "text/plain", ValueForm::text},
                       run.clock.stamp(OpId(done + 1)),
                       {},
                       {}});
    }
    ApplyGuard unguarded;
    const auto outcomes = co_await run.store.apply(std::move(batch), unguarded, Deadline::none());
    if (!outcomes) give_up(outcomes.error());
  }
}

Task<void> run_all(Run& run, net::IoLoop& loop) {
  TaskScope scope(loop);
  if (run.settings.load) {
    scope.spawn(load(run));
  } else {
    for (std::size_t c = 0; c < run.settings.parallel; ++c) {
      scope.spawn(run.settings.batch > 0 ? write(run, c) : read(run));
    }
  }
  auto ended = scope.join();
  co_await ended;
}

double quantile(std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

int measure(const Settings& settings) {
  const SystemTime time;
  net::LoopGroup loops("bench", 1);
  PostgresOptions options;
  options.url = settings.url;
  options.read_connections_per_loop = settings.read_connections;
  auto store = PostgresStore::open(options, loops, time);
  if (!store) give_up(store.error());
  HybridClock clock(time);
  const auto span =
      std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(settings.seconds));
  const MonotonicTime begin = MonotonicClock::now();
  Run run{**store, settings, clock, begin + span, {}, 0};
  net::run_to_end(loops[0], run_all(run, loops[0]));
  const double took = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  if (settings.load) return 0;
  std::ranges::sort(run.latencies_us);
  const PostgresFigures figures = (*store)->figures();
  std::printf("%.0f %s/s, p50 %.2f ms, p99 %.2f ms, %llu retries, %.1f gets per round trip\n",
              static_cast<double>(run.operations) / took, settings.batch > 0 ? "rows" : "gets",
              quantile(run.latencies_us, 0.5) / 1e3, quantile(run.latencies_us, 0.99) / 1e3,
              static_cast<unsigned long long>(figures.retries),
              static_cast<double>(figures.gets) / static_cast<double>(std::max<std::uint64_t>(figures.get_rounds, 1)));
  return 0;
}

}  // namespace
}  // namespace armazem

int main(int argc, char** argv) {
  armazem::Settings settings;
  CLI::App app("Rows and gets per second of the store on PostgreSQL or CockroachDB, without HTTP.");
  app.add_option("--url", settings.url, "postgres://USER:PASSWORD@HOST:PORT/DATABASE")
      ->envname("ARMAZEM_TEST_POSTGRES")
      ->required();
  app.add_flag("--load", settings.load, "write all keys once, and stop");
  app.add_option("--batch", settings.batch, "write batches of that size; 0: get single keys")
      ->check(CLI::Range(0, 512));
  app.add_option("--parallel", settings.parallel, "batches or gets on their way at once")->check(CLI::Range(1, 4096));
  app.add_option("--keys", settings.keys, "different keys")->check(CLI::Range(1, 100'000'000));
  app.add_option("--value-bytes", settings.value_bytes, "size of each value")->check(CLI::Range(0, 1 << 20));
  app.add_option("--read-connections", settings.read_connections, "per loop")->check(CLI::Range(1, 64));
  app.add_option("--seconds", settings.seconds, "how long")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return armazem::measure(settings);
}
