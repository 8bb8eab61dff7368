#include "cli/bench_report.h"

#include <fmt/format.h>

#include <array>

#include "http/json_text.h"

namespace armazem::cli {
namespace {

struct Quantile {
  std::string_view name;
  double percent = 0;
};
constexpr std::array<Quantile, 7> quantiles{
    {{"p50", 50}, {"p75", 75}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p99.9", 99.9}, {"p99.99", 99.99}}};

double ms(std::chrono::nanoseconds duration) { return static_cast<double>(duration.count()) / 1e6; }

// Three significant digits, so that microseconds and seconds fit the same column.
std::string ms_text(std::chrono::nanoseconds duration) {
  const double value = ms(duration);
  if (value < 10) return fmt::format("{:.2f}", value);
  return value < 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

double per_second(std::uint64_t requests, double seconds) {
  return seconds > 0 ? static_cast<double>(requests) / seconds : 0;
}

std::string table_line(std::string_view name, const OperationStats& stats, double seconds) {
  std::string line = fmt::format("{:<7}{:>11}{:>11.1f}{:>8}{:>9}", name, stats.requests,
                                 per_second(stats.requests, seconds), stats.errors, ms_text(stats.latency.mean()));
  for (const Quantile& quantile : quantiles)
    line += fmt::format("{:>9}", ms_text(stats.latency.percentile(quantile.percent)));
  return line + fmt::format("{:>9}\n", ms_text(stats.latency.max()));
}

std::string outcomes_text(std::string_view heading, const Outcomes& outcomes) {
  if (outcomes.empty()) return "";
  std::string text = fmt::format("{}\n", heading);
  for (const auto& [name, times] : outcomes) text += fmt::format("  {:>10}  {}\n", times, name);
  return text;
}

// Boost.JSON writes 2.5E3 for 2500: right, and unkind to who reads it.
std::string quoted(std::string_view text) {
  std::string out;
  http::append_json_string(out, text);
  return out;
}

std::string outcomes_json(const Outcomes& outcomes) {
  std::string text;
  for (const auto& [name, times] : outcomes)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", quoted(name), times);
  return "{" + text + "}";
}

std::string operation_json(const OperationStats& stats, double seconds) {
  std::string text =
      fmt::format(R"({{"requests":{},"errors":{},"requests_per_second":{:.1f},"latency_ms":{{"mean":{:.3f})",
                  stats.requests, stats.errors, per_second(stats.requests, seconds), ms(stats.latency.mean()));
  for (const Quantile& quantile : quantiles) {
    text += fmt::format(R"(,"{}":{:.3f})", quantile.name, ms(stats.latency.percentile(quantile.percent)));
  }
  return text + fmt::format(R"(,"max":{:.3f}}}}})", ms(stats.latency.max()));
}

}  // namespace

double BenchResult::error_rate() const {
  const OperationStats all = stats.all();
  return all.requests == 0 ? 1 : static_cast<double>(all.errors) / static_cast<double>(all.requests);
}

std::string report_text(const BenchOptions& options, const BenchResult& result) {
  const OperationStats all = result.stats.all();
  std::string text = fmt::format("{}: {} connections, ", options.url, options.connections);
  text += options.rate > 0 ? fmt::format("{:g} requests/s asked for; latency from the intended start\n", options.rate)
                           : std::string("closed loop; latency from the sending\n");
  text += fmt::format("{} requests in {:.1f} s: {:.1f} requests/s, {} errors ({:.3g} %)\n\n", all.requests,
                      result.seconds, per_second(all.requests, result.seconds), all.errors,
                      all.requests == 0 ? 0 : result.error_rate() * 100);
  text += fmt::format("{:<7}{:>11}{:>11}{:>8}{:>9}", "ms", "requests", "per second", "errors", "mean");
  for (const Quantile& quantile : quantiles) text += fmt::format("{:>9}", quantile.name);
  text += fmt::format("{:>9}\n", "max");
  std::size_t kinds = 0;
  for (std::size_t i = 0; i < operation_count; ++i) {
    const OperationStats& one = result.stats.operations[i];
    if (one.requests == 0) continue;
    text += table_line(operation_names[i], one, result.seconds);
    ++kinds;
  }
  if (kinds != 1) text += table_line("all", all, result.seconds);
  text += "\n" + outcomes_text("answers", result.stats.successes) + outcomes_text("errors", result.stats.errors);
  if (result.never_sent > 0) {
    text += fmt::format(
        "\nThe rate was not reached: {} requests were due and never sent, because every connection waited for an answer.\n",
        result.never_sent);
  }
  if (result.interrupted) text += "\nInterrupted: the figures are those of the time before.\n";
  if (result.gave_up) text += "\nGiven up: for a long time there was nothing but errors.\n";
  return text;
}

std::string report_json(const BenchOptions& options, const BenchResult& result) {
  std::string operations;
  for (std::size_t i = 0; i < operation_count; ++i) {
    const OperationStats& one = result.stats.operations[i];
    if (one.requests == 0) continue;
    operations += fmt::format("{}{}:{}", operations.empty() ? "" : ",", quoted(operation_names[i]),
                              operation_json(one, result.seconds));
  }
  return fmt::format(
      R"({{"url":{},"connections":{},"rate":{:g},"seed":{},"seconds":{:.3f},"all":{},"operations":{{{}}},"answers":{},"errors":{},)"
      R"("never_sent":{},"interrupted":{},"gave_up":{}}})"
      "\n",
      quoted(options.url), options.connections, options.rate, options.seed, result.seconds,
      operation_json(result.stats.all(), result.seconds), operations, outcomes_json(result.stats.successes),
      outcomes_json(result.stats.errors), result.never_sent, result.interrupted, result.gave_up);
}

}  // namespace armazem::cli
