#include "cli/bench_flags.h"

#include <map>

#include "cli/bench_values.h"
#include "cli/flag_values.h"

namespace armazem::cli {
namespace {

constexpr const char* examples =
    "\nExamples:\n"
    "  armazem bench                                             16 connections, half PUT, half GET, 10 s\n"
    "  armazem bench --url http://127.0.0.1:8000 --rate 2000 --duration 60s --csv run.csv --svg run.svg\n"
    "  armazem bench --connections 300 --ramp-up 30s --loops 200 --pairs   the course project's JMeter plan\n"
    "  armazem bench --prefill --keys 1000000 --key-pattern zipf --mix get=95,put=5 --values 10-4096\n"
    "  armazem bench --from-csv run.csv --svg run.svg            draws the chart again\n"
    "\nWithout --rate each connection sends when it has its answer (closed loop): a slow server is asked less often, and its\n"
    "pauses hardly show. With --rate requests are due at fixed times, and a late one counts from the time it was due: that is\n"
    "what clients that do not wait for each other see.\n"
    "\nErrors are failed connections, time-outs and statuses of 400 and more, save a 404 for a key that is not there.\n"
    "Exit code: 0; 1 when more failed than --max-error-rate, or nothing could be measured; 2 when the options are wrong.\n";

// A bound that the help does not show: the meaning says enough.
template <class Number>
CLI::Validator between(Number least, Number most) {
  return CLI::Range(least, most).description("");
}

template <class Value>
void add_word(CLI::App& command, const std::string& name, Value& into, const std::string& about,
              std::map<std::string, Value> words) {
  std::string kind;
  for (const auto& [word, value] : words) kind += (kind.empty() ? "" : "|") + word;
  add_parsed<Value>(command, name, into, about, kind,
                    [words = std::move(words), kind](std::string_view text) -> Result<Value> {
                      const auto found = words.find(std::string(text));
                      if (found == words.end())
                        return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not " + kind);
                      return found->second;
                    });
}

void add_time(CLI::App& command, const std::string& name, std::chrono::milliseconds& into, const std::string& about) {
  add_parsed<std::chrono::milliseconds>(command, name, into, about, "time", parse_duration);
}

void add_load(CLI::App& command, BenchOptions& options) {
  command.add_option("--url", options.url, "Where to: http://HOST:PORT")->type_name("url")->capture_default_str();
  command.add_option("--connections", options.connections, "How many")
      ->type_name("n")
      ->check(between(1, 100'000))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads that share them")
      ->type_name("n")
      ->check(between(1, 64))
      ->capture_default_str();
  command.add_option("--rate", options.rate, "Requests per second, whatever the answers take [none: closed loop]")
      ->type_name("n")
      ->check(between(0.001, 1e7));
  add_time(command, "duration", options.duration, "How long to measure [10s, if no count is given]");
  command.add_option("--count", options.count, "Requests in total [no bound]")
      ->type_name("n")
      ->check(between(std::uint64_t{1}, std::uint64_t{1} << 50));
  command.add_option("--loops", options.loops, "Requests of each connection [no bound]")
      ->type_name("n")
      ->check(between(std::uint64_t{1}, std::uint64_t{1} << 40));
  add_time(command, "warm-up", options.warm_up, "Load before the measuring begins [none]");
  add_time(command, "ramp-up", options.ramp_up, "Until the last connection has begun [all at once]");
  add_time(command, "timeout", options.timeout, "What one request may take [5s]");
}

void add_work(CLI::App& command, BenchOptions& options) {
  add_parsed<decltype(options.mix)>(command, "mix", options.mix, "Shares of the operations [put=50,get=50]", "mix",
                                    parse_mix);
  command.add_flag("--pairs", options.pairs, "Each connection writes a key, then reads the same one, instead of a mix");
  command.add_flag("--prefill", options.prefill, "Write every key once before");
  command.add_option("--keys", options.keys.count, "How many different keys")
      ->type_name("n")
      ->check(between(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  add_parsed<KeyOptions>(
      command, "key-pattern", options.keys,
      "uniform, sequential, zipf[:EXPONENT] or latest (what was written last is read most) [uniform]", "pattern",
      [&options](std::string_view text) { return parse_key_pattern(text, options.keys); });
  command.add_option("--key-prefix", options.keys.prefix, "What keys begin with, before eight digits")
      ->type_name("text")
      ->capture_default_str();
  add_parsed<ValueOptions>(command, "values", options.values,
                           "Bytes of a value: 100, 10-4096 (uniform) or zipf:10-4096 [100]", "sizes",
                           parse_value_sizes);
  add_word<WriteRoute>(command, "route", options.route,
                       "PUT /store with JSON, or PUT /store/{key} with the bytes [json]",
                       {{"json", WriteRoute::json}, {"raw", WriteRoute::raw}});
  add_word<ReadLevel>(command, "read", options.read,
                      "Of GET: as it comes, not older than this connection's own writes, or linearizable [cached]",
                      {{"cached", ReadLevel::cached}, {"session", ReadLevel::session}, {"strong", ReadLevel::strong}});
  command.add_option("--seed", options.seed, "Of keys, sizes and operations")->type_name("n")->capture_default_str();
}

void add_output(CLI::App& command, BenchOptions& options) {
  command.add_flag("--json", options.json, "The result as one JSON object");
  command.add_flag("--quiet", options.quiet, "No progress");
  command.add_option("--csv", options.csv, "Write the figures of every second here")->type_name("file");
  CLI::Option* const svg = command.add_option("--svg", options.svg, "Write a chart of them here")->type_name("file");
  command.add_option("--title", options.title, "Of the chart")->type_name("text")->capture_default_str();
  command.add_option("--from-csv", options.from_csv, "Run nothing: draw the chart of an earlier --csv")
      ->type_name("file")
      ->needs(svg);
  command
      .add_option("--max-error-rate", options.error_rate_max,
                  "Share of errors, from 0 to 1, above which the exit code is 1")
      ->type_name("share")
      ->check(between(0.0, 1.0))
      ->capture_default_str();
}

}  // namespace

void add_bench_flags(CLI::App& command, BenchOptions& options) {
  command.footer(examples);
  add_load(command, options);
  add_work(command, options);
  add_output(command, options);
  command.callback([&options] {
    if (const Result<void> sensible = check_bench_options(options); !sensible) {
      throw CLI::ValidationError(sensible.error().message);
    }
  });
}

}  // namespace armazem::cli
