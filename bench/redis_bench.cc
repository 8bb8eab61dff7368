// The cache on a Redis Cluster without HTTP: gets and puts per second of closed-loop callers on one event loop.
//
// A caller sends its next request when the last one was answered. What the callers ask for in one turn of the loop goes
// out together, by the same RedisCache as in the server.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "adapters/redis/redis_cache.h"
#include "app/system_time.h"
#include "core/task_scope.h"
#include "net/loop_group.h"

namespace armazem {
namespace {

struct Settings {
  std::string url;
  std::string mode = "get";
  std::size_t callers = 16;
  double seconds = 2;
  std::size_t keys = 10'000;
  std::size_t value_bytes = 200;
  std::string format = "text";
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "armazem_redis_bench: %s\n", why.c_str());
  std::exit(1);
}

struct Run {
  Cache& cache;
  const Settings& settings;
  std::vector<Key> keys;
  MonotonicTime end;
  std::uint64_t next_tick = 0;
  std::mt19937_64 random{1};
  std::vector<double> latencies_us;

  [[nodiscard]] CacheWrite put_of(std::size_t i) {
    Record record;
    record.value = {std::string(settings.value_bytes, 'v'), "text/plain", ValueForm::text};
    record.version = Version::make(Tick(next_tick++), OpId(1));
    return {keys[i], std::move(record), CacheWrite::Mode::put};
  }
};

Task<void> fill_all(Run& run) {
  for (std::size_t begin = 0; begin < run.keys.size(); begin += 512) {
    std::vector<CacheWrite> writes;
    for (std::size_t i = begin; i < std::min(begin + 512, run.keys.size()); ++i) writes.push_back(run.put_of(i));
    const auto written = co_await run.cache.write(writes, Deadline::none());
    if (!written) give_up(written.error().message);
  }
}

Task<void> call_until_end(Run& run, bool get) {
  for (MonotonicTime begin = MonotonicClock::now(); begin < run.end;) {
    const std::size_t i = run.random() % run.keys.size();
    if (get) {
      const auto found = co_await run.cache.get(run.keys[i], Deadline::none());
      if (!found || !found->record) give_up(found ? "a miss" : found.error().message);
    } else {
      const std::vector<CacheWrite> writes = {run.put_of(i)};
      const auto written = co_await run.cache.write(writes, Deadline::none());
      if (!written) give_up(written.error().message);
    }
    const MonotonicTime now = MonotonicClock::now();
    run.latencies_us.push_back(std::chrono::duration<double, std::micro>(now - begin).count());
    begin = now;
  }
}

double quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

struct Report {
  double per_second;
  double p50_us;
  double p99_us;
  double cpu_us;
};

void report(const Settings& settings, const Report& r) {
  const char* const mode = settings.mode.c_str();
  if (settings.format == "json") {
    std::printf("{\"mode\": \"%s\", \"callers\": %zu, \"per_second\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"cpu_us\": %.2f}\n",
                mode, settings.callers, r.per_second, r.p50_us, r.p99_us, r.cpu_us);
  } else {
    std::printf("%s, %zu callers: %.0f/s, p50 %.0f us, p99 %.0f us, %.2f us of CPU each\n", mode, settings.callers,
                r.per_second, r.p50_us, r.p99_us, r.cpu_us);
  }
}

int measure(const Settings& settings) {
  auto options = parse_redis_url(settings.url);
  if (!options) give_up(options.error().message);
  options->prefix += "bench:";
  options->command_timeout = std::chrono::milliseconds(2'000);
  const SystemTime time;
  net::LoopGroup loops("bench", 1);
  auto cache = RedisCache::open(std::move(*options), loops, time);
  if (!cache) give_up(cache.error().message);

  Run run{**cache, settings, {}, {}, Tick::from_ms(time.wall_ms()).bits(), std::mt19937_64(1), {}};
  for (std::size_t i = 0; i < settings.keys; ++i) run.keys.push_back(Key::parse("key-" + std::to_string(i)).value());
  net::run_to_end(loops[0], fill_all(run));
  const std::clock_t cpu_begin = std::clock();
  const MonotonicTime begin = MonotonicClock::now();
  run.end = begin + std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(settings.seconds));
  const auto root = [&]() -> Task<void> {
    TaskScope scope(loops[0]);
    for (std::size_t i = 0; i < settings.callers; ++i) scope.spawn(call_until_end(run, settings.mode == "get"));
    co_await scope.join();
  };
  net::run_to_end(loops[0], root());
  const double took = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  const double cpu_us = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC * 1e6;
  std::ranges::sort(run.latencies_us);
  const auto calls = static_cast<double>(run.latencies_us.size());
  report(settings, {calls / took, quantile(run.latencies_us, 0.5), quantile(run.latencies_us, 0.99), cpu_us / calls});
  return 0;
}

}  // namespace
}  // namespace armazem

int main(int argc, char** argv) {
  armazem::Settings settings;
  CLI::App app("Gets and puts per second of the cache on a Redis Cluster, without HTTP, on one event loop.");
  app.add_option("--url", settings.url, "redis://user:password@host:port,…")->required()->envname("ARMAZEM_TEST_REDIS");
  app.add_option("--mode", settings.mode, "get (hits only) or put (by script, one at a time)")
      ->check(CLI::IsMember({"get", "put"}));
  app.add_option("--callers", settings.callers, "requests on their way at once")->check(CLI::Range(1, 4096));
  app.add_option("--seconds", settings.seconds, "how long")->check(CLI::PositiveNumber);
  app.add_option("--keys", settings.keys, "how many different ones")->check(CLI::Range(1, 1'000'000));
  app.add_option("--value-bytes", settings.value_bytes, "size of each value")->check(CLI::Range(0, 1 << 20));
  app.add_option("--format", settings.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  CLI11_PARSE(app, argc, argv);
  return armazem::measure(settings);
}
