#include "cli/bench_command.h"

#include <cstdio>
#include <fstream>

#include "cli/bench_progress.h"
#include "cli/bench_report.h"
#include "cli/load_run.h"
#include "cli/series.h"
#include "core/task_scope.h"

namespace armazem::cli {
namespace {

constexpr std::chrono::milliseconds look_every{100};
constexpr std::chrono::milliseconds interrupt_grace{1'000};
// Nothing but failures for this long and one time-out more: the server is gone, and going on would tell nothing new.
constexpr std::chrono::seconds give_up_after{10};

int failed(const std::string& why) {
  std::fprintf(stderr, "armazem bench: %s\n", why.c_str());
  return 1;
}

Task<Result<void>> probe(net::IoLoop& loop, const TimeSource& time, const Endpoint& endpoint, Deadline deadline) {
  co_await resume_on(loop);
  Sweeper sweeper(time);
  TaskScope sweeping(loop);
  sweeping.spawn(sweeper.run());
  Result<void> done;
  {
    HttpClient client(loop, sweeper, endpoint);
    HttpAnswer answer;
    HttpRequest request;
    request.target = "/health/live";
    done = co_await client.exchange(request, deadline, answer);
  }
  sweeper.finish();
  auto swept = sweeping.join();
  co_await swept;
  co_return done;
}

Task<void> resolve_and_probe(net::IoLoop& loop, const TimeSource& time, std::chrono::milliseconds timeout,
                             Endpoint& endpoint, Result<void>& answered) {
  net::Resolver resolver;
  auto addresses = co_await resolver.resolve(endpoint.name);
  if (!addresses) {
    answered = fail(std::move(addresses).error());
    co_return;
  }
  endpoint.addresses = std::move(*addresses);
  answered = co_await probe(loop, time, endpoint, Deadline::after(time.now(), timeout));
}

// Resolves the name and speaks to the server once, so that a wrong address is said at once and in words.
Result<Endpoint> reach(const BenchOptions& options, net::LoopGroup& loops, const TimeSource& time) {
  Result<net::HostPort> name = parse_base_url(options.url);
  if (!name) return fail(std::move(name).error());
  Result<Endpoint> endpoint = Endpoint{*name, {}};
  Result<void> answered;
  net::run_to_end(loops[0], resolve_and_probe(loops[0], time, options.timeout, *endpoint, answered));
  if (!answered) return fail(std::move(answered).error().with_context(options.url));
  return endpoint;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return static_cast<bool>(file.flush());
}

// Waits for the end, or brings it about.
BenchResult watch(LoadRun& run, const BenchOptions& options, const TimeSource& time, const WaitForInterrupt& wait) {
  BenchResult result;
  BenchProgress progress(options, stderr);
  bool stopping = false;
  while (!run.ended()) {
    const bool interrupted = wait(look_every);
    const MonotonicTime now = time.now();
    const Collector::Progress seen = run.collector().progress();
    if (!stopping) {
      result.interrupted = interrupted;
      result.gave_up = !interrupted && now > seen.last_success + give_up_after + options.timeout;
      stopping = result.interrupted || result.gave_up;
      if (stopping) run.stop(interrupt_grace);
    }
    progress.show(std::chrono::duration<double>(now - run.schedule().measured()).count(), seen);
  }
  progress.end();
  result.seconds = run.measured_seconds();
  result.stats = run.collector().total();
  result.never_sent = run.schedule().never_sent();
  return result;
}

// Writes every key once, as fast as the connections can.
BenchOptions prefill_of(BenchOptions options) {
  options.rate = 0;
  options.duration = options.warm_up = options.ramp_up = std::chrono::milliseconds(0);
  options.loops = 0;
  options.count = options.keys.count;
  options.mix = {1, 0, 0};
  options.pairs = false;
  options.keys.pattern = KeyPattern::sequential;
  return options;
}

int draw_again(const BenchOptions& options) {
  std::ifstream file(options.from_csv);
  if (!file) return failed("cannot read " + options.from_csv);
  const Result<std::vector<SeriesRow>> rows = read_csv(file);
  if (!rows) return failed(options.from_csv + ": " + rows.error().message);
  if (!write_file(options.svg, draw_chart(*rows, options.title))) return failed("cannot write " + options.svg);
  return 0;
}

int write_results(const BenchOptions& options, const BenchResult& result, const std::vector<SeriesRow>& series) {
  std::fputs((options.json ? report_json(options, result) : report_text(options, result)).c_str(), stdout);
  std::fflush(stdout);
  if (!options.csv.empty()) {
    std::ofstream file(options.csv, std::ios::binary);
    write_csv(file, series);
    if (!file.flush()) return failed("cannot write " + options.csv);
  }
  if (!options.svg.empty() && !write_file(options.svg, draw_chart(series, options.title)))
    return failed("cannot write " + options.svg);
  return 0;
}

}  // namespace

int run_bench(const BenchOptions& options, const TimeSource& time, const WaitForInterrupt& wait) {
  if (!options.from_csv.empty()) return draw_again(options);
  net::LoopGroup loops("bench", options.threads);
  const Result<Endpoint> endpoint = reach(options, loops, time);
  if (!endpoint) return failed(endpoint.error().message);
  if (options.prefill) {
    const BenchOptions all_keys = prefill_of(options);
    if (!options.quiet)
      std::fprintf(stderr, "writing %llu keys\n", static_cast<unsigned long long>(options.keys.count));
    LoadRun run(all_keys, *endpoint, loops, time);
    const BenchResult filled = watch(run, all_keys, time, wait);
    if (filled.interrupted) return failed("interrupted while the keys were written");
    if (filled.stats.all().errors > 0 || filled.gave_up) {
      std::fputs(report_text(all_keys, filled).c_str(), stderr);
      return failed("not all keys could be written");
    }
  }
  LoadRun run(options, *endpoint, loops, time);
  const BenchResult result = watch(run, options, time, wait);
  if (const int wrong = write_results(options, result, run.collector().series()); wrong != 0) return wrong;
  if (result.gave_up) return 1;
  if (result.stats.all().requests == 0) return result.interrupted ? 0 : 1;
  return result.error_rate() > options.error_rate_max ? 1 : 0;
}

}  // namespace armazem::cli
