// The embedded store without HTTP: how many durable writes it takes from closed-loop writers, or how fast it reads. Also
// fills a directory for other measurements.
//
// A writer sends its next write when the last one was durable. What gathers while a batch is being synced becomes the
// next batch, by the same Batcher as in the server.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <future>
#include <random>

#include "adapters/rocksdb/rocksdb_store.h"
#include "app/system_time.h"
#include "core/hybrid_clock.h"
#include "core/task_scope.h"
#include "runtime/thread_pool.h"
#include "service/batcher.h"

namespace armazem {
namespace {

struct Settings {
  std::string data;
  std::size_t writers = 64;
  std::size_t batch = 0;
  double seconds = 10;
  std::size_t value_bytes = 100;
  std::uint64_t load = 0;
  std::uint64_t gets = 0;
  std::string format = "text";
};

// A bar on a terminal, nothing elsewhere.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  void show(double share) const {
    constexpr std::size_t width = 40;
    if (!shown_) return;
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * width);
    const std::string bar = std::string(filled, '#') + std::string(width - filled, '.');
    std::fprintf(stderr, "\r%s [%s] %3.0f %%", what_, bar.c_str(), 100 * share);
  }

 private:
  const char* what_;
  bool shown_;
};

class Puts {
 public:
  explicit Puts(std::size_t value_bytes) : value_bytes_(value_bytes) {
    std::mt19937_64 random(1);
    letters_.resize(value_bytes + (std::size_t{1} << 20));
    for (char& letter : letters_) letter = static_cast<char>('A' + random() % 26);
  }

  static std::string name(std::uint64_t number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "key-%08llu", static_cast<unsigned long long>(number));
    return text.data();
  }

  Mutation next() {
    const std::uint64_t number = next_++;
    // From another place each time: keys that lie side by side shall not compress each other away.
    const std::size_t from = number * 7919 % (std::size_t{1} << 20);
    Value value{letters_.substr(from, value_bytes_), "text/plain; charset=utf-8", ValueForm::text};
    return {
        Mutation::Kind::put, Key::parse(name(number)).value(), std::move(value), clock_.stamp(OpId(number)), {}, {}};
  }

 private:
  SystemTime time_;
  HybridClock clock_{time_};
  const std::size_t value_bytes_;
  std::string letters_;
  std::uint64_t next_ = 0;
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "armazem_store_bench: %s\n", error.message.c_str());
  std::exit(1);
}

// The clients' side, all of it on one thread.
struct Clients {
  Batcher& batcher;
  Puts& puts;
  const MonotonicTime end;
  std::vector<double> latencies_us;
  std::size_t running = 0;
  std::promise<void> ended;
};

Task<void> write_until_end(Clients& clients, Executor& executor) {
  co_await resume_on(executor);
  for (MonotonicTime begin = MonotonicClock::now(); begin < clients.end;) {
    Mutation mutation = clients.puts.next();
    const Result<Outcome> outcome = co_await clients.batcher.submit(std::move(mutation), Deadline::none());
    if (!outcome) give_up(outcome.error());
    const MonotonicTime now = MonotonicClock::now();
    clients.latencies_us.push_back(std::chrono::duration<double, std::micro>(now - begin).count());
    begin = now;
  }
  if (--clients.running == 0) clients.ended.set_value();
}

double quantile(std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

struct Report {
  double writes_per_second;
  double p50_us;
  double p99_us;
  unsigned long long batches;
  unsigned long long mutations;
};

void report(const Report& r, bool json) {
  if (json) {
    std::printf(
        "{\"writes_per_second\": %.0f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"batches\": %llu, \"mutations\": %llu}\n",
        r.writes_per_second, r.p50_us, r.p99_us, r.batches, r.mutations);
  } else {
    std::printf("%.0f durable writes/s, p50 %.0f us, p99 %.0f us, %llu batches of %llu writes\n", r.writes_per_second,
                r.p50_us, r.p99_us, r.batches, r.mutations);
  }
}

void write(RocksdbStore& store, const Settings& settings) {
  const SystemTime time;
  Puts puts(settings.value_bytes);
  Applier applier(store, nullptr, time);
  Batcher batcher(applier, store.write_executor(), time, {});
  const MonotonicTime begin = MonotonicClock::now();
  const auto span =
      std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(settings.seconds));
  Clients clients{batcher, puts, begin + span, {}, settings.writers, {}};
  std::future<void> ended = clients.ended.get_future();
  {
    ThreadPool executor("clients", 1);
    for (std::size_t i = 0; i < settings.writers; ++i) start_root(executor, write_until_end(clients, executor));
    const Progress progress("writing");
    while (ended.wait_for(std::chrono::milliseconds(200)) != std::future_status::ready) {
      progress.show(std::chrono::duration<double>(MonotonicClock::now() - begin).count() / settings.seconds);
    }
  }
  const double took = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  std::ranges::sort(clients.latencies_us);
  const Batcher::Figures figures = batcher.figures();
  report({static_cast<double>(clients.latencies_us.size()) / took, quantile(clients.latencies_us, 0.5),
          quantile(clients.latencies_us, 0.99), figures.batches, figures.mutations},
         settings.format == "json");
}

Task<void> write_batches_until(RocksdbStore& store, Puts& puts, std::size_t size, MonotonicTime end,
                               std::vector<double>& latencies_us, std::promise<void>& ended) {
  co_await resume_on(store.write_executor());
  for (MonotonicTime begin = MonotonicClock::now(); begin < end;) {
    std::vector<Mutation> batch;
    while (batch.size() < size) batch.push_back(puts.next());
    ApplyGuard unguarded;
    const auto outcomes = co_await store.apply(std::move(batch), unguarded, Deadline::none());
    if (!outcomes) give_up(outcomes.error());
    const MonotonicTime now = MonotonicClock::now();
    latencies_us.push_back(std::chrono::duration<double, std::micro>(now - begin).count());
    begin = now;
  }
  ended.set_value();
}

// Batches of one size, one after the other: what the store takes when it is given the batches that a server formed.
void write_batches(RocksdbStore& store, const Settings& settings) {
  Puts puts(settings.value_bytes);
  std::vector<double> latencies_us;
  std::promise<void> ended;
  const MonotonicTime begin = MonotonicClock::now();
  const auto span =
      std::chrono::duration_cast<MonotonicClock::duration>(std::chrono::duration<double>(settings.seconds));
  start_root(store.write_executor(),
             write_batches_until(store, puts, settings.batch, begin + span, latencies_us, ended));
  ended.get_future().wait();
  const double took = std::chrono::duration<double>(MonotonicClock::now() - begin).count();
  std::ranges::sort(latencies_us);
  const std::size_t writes = latencies_us.size() * settings.batch;
  report({static_cast<double>(writes) / took, quantile(latencies_us, 0.5), quantile(latencies_us, 0.99),
          latencies_us.size(), writes},
         settings.format == "json");
}

Task<void> load_all(Store& store, const Settings& settings, std::promise<void>& ended) {
  Puts puts(settings.value_bytes);
  const Progress progress("loading");
  for (std::uint64_t done = 0; done < settings.load;) {
    std::vector<Mutation> batch;
    for (; batch.size() < limits::batch_mutations_max && done < settings.load; ++done) batch.push_back(puts.next());
    ApplyGuard unguarded;
    const auto outcomes = co_await store.apply(std::move(batch), unguarded, Deadline::none());
    if (!outcomes) give_up(outcomes.error());
    progress.show(static_cast<double>(done) / static_cast<double>(settings.load));
  }
  ended.set_value();
}

Task<void> load_on_write_thread(RocksdbStore& store, const Settings& settings, std::promise<void>& ended) {
  co_await resume_on(store.write_executor());
  co_await load_all(store, settings, ended);
}

void load(RocksdbStore& store, const Settings& settings) {
  std::promise<void> ended;
  start_root(store.write_executor(), load_on_write_thread(store, settings, ended));
  ended.get_future().wait();
}

Task<void> read_into_memory(Store& store, const std::vector<Key>& names, Executor& executor,
                            std::promise<void>& ended) {
  co_await resume_on(executor);
  for (const Key& name : names) {
    const auto record = co_await store.get(name, Deadline::none());
    if (!record) give_up(record.error());
  }
  ended.set_value();
}

// Random keys of those that --load wrote. Measured is the road of a read that finds everything in memory.
void read(RocksdbStore& store, const Settings& settings) {
  std::mt19937_64 random(1);
  const std::uint64_t keys = std::max<std::uint64_t>(store.figures().keys, 1);
  std::vector<Key> names;
  for (int i = 0; i < 100'000; ++i) names.push_back(Key::parse(Puts::name(random() % keys)).value());
  {
    ThreadPool executor("warm-up", 1);
    std::promise<void> ended;
    start_root(executor, read_into_memory(store, names, executor, ended));
    ended.get_future().wait();
  }
  std::uint64_t found = 0;
  const MonotonicTime begin = MonotonicClock::now();
  for (std::uint64_t i = 0; i < settings.gets; ++i) {
    auto task = store.get(names[i % names.size()], Deadline::none());
    if (!task.ready()) continue;
    const auto record = task.take_ready();
    found += record && *record ? 1 : 0;
  }
  const double took = std::chrono::duration<double, std::nano>(MonotonicClock::now() - begin).count();
  const auto gets = static_cast<double>(settings.gets);
  if (settings.format == "json") {
    std::printf("{\"get_ns\": %.0f, \"from_memory\": %.4f}\n", took / gets, static_cast<double>(found) / gets);
  } else {
    std::printf("%.0f ns per get, %.2f %% found in memory\n", took / gets, 100 * static_cast<double>(found) / gets);
  }
}

int run(const Settings& settings) {
  const SystemTime time;
  RocksdbOptions options;
  options.path = settings.data;
  auto store = RocksdbStore::open(options, time);
  if (!store) give_up(store.error());
  if (settings.load > 0) load(**store, settings);
  if (settings.gets > 0) read(**store, settings);
  if (settings.load > 0 || settings.gets > 0) return 0;
  if (settings.batch > 0) {
    write_batches(**store, settings);
  } else {
    write(**store, settings);
  }
  return 0;  // the store writes its memtables out as it closes
}

}  // namespace
}  // namespace armazem

int main(int argc, char** argv) {
  armazem::Settings settings;
  CLI::App app("Durable writes per second of the embedded store, without HTTP.");
  app.add_option("--data", settings.data, "data directory; created if it does not exist")->required();
  app.add_option("--writers", settings.writers, "logical clients, each with one write on its way")
      ->check(CLI::Range(1, 16384));
  app.add_option("--batch", settings.batch, "batches of that size instead, one after the other")
      ->check(CLI::Range(1, 512));
  app.add_option("--seconds", settings.seconds, "how long")->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", settings.value_bytes, "size of each value")->check(CLI::Range(0, 1 << 20));
  app.add_option("--load", settings.load, "write that many keys instead, and leave them");
  app.add_option("--gets", settings.gets, "read that often instead, random keys of an earlier --load");
  app.add_option("--format", settings.format, "text or json")->check(CLI::IsMember({"text", "json"}));
  CLI11_PARSE(app, argc, argv);
  return armazem::run(settings);
}
