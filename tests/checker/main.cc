// armazem-check: judges histories of clients, one file each (docs/histories.md). Prints a line per file; exit code 0
// when all are good, 1 when one is not, 2 when one cannot be read.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "checker/check.h"
#include "checker/edn.h"
#include "checker/json_lines.h"

namespace armazem::checker {
namespace {

void show_event(const History& history, std::size_t index) {
  std::string line;
  append_event(line, history.events[index]);
  std::cout << "  #" << index << ' ' << line;
}

struct Totals {
  std::size_t files = 0, operations = 0, keys = 0, violations = 0, time_outs = 0;
};

int judge_file(const std::string& path, const CheckOptions& options, Totals& totals) {
  std::ifstream in(path);
  HistoryReader reader;
  const auto read = in ? reader.read(in) : fail(ErrorCode::unavailable, "cannot be opened");
  if (!read) {
    std::cerr << path << ": " << read.error().message << '\n';
    return 2;
  }
  const History& history = reader.history();
  const auto verdicts = check_all(history, options);
  ++totals.files;
  totals.operations += history.events.size();
  totals.keys += history.finals.size();
  std::cout << path << ": " << history.events.size() << " operations, " << history.finals.size()
            << " final states: " << (verdicts.empty() ? "good" : "NOT GOOD") << '\n';
  for (const Verdict& verdict : verdicts) {
    ++(verdict.violation == Violation::timed_out ? totals.time_outs : totals.violations);
    std::cout << "  key " << verdict.key << ": " << name_of(verdict.violation) << ": " << verdict.why << '\n';
    for (const std::size_t index : verdict.events) show_event(history, index);
  }
  return verdicts.empty() ? 0 : 1;
}

int export_file(const std::string& path) {
  std::ifstream in(path);
  HistoryReader reader;
  if (const auto read = reader.read(in); !in.is_open() || !read) {
    std::cerr << path << ": " << (read ? "cannot be opened" : read.error().message) << '\n';
    return 2;
  }
  write_edn(std::cout, reader.history());
  return 0;
}

}  // namespace
}  // namespace armazem::checker

int main(int argc, char** argv) {
  using namespace armazem::checker;
  CLI::App app("Judges histories of clients");
  std::vector<std::string> files;
  CheckOptions options;
  bool edn = false;
  double ttl_seconds = 60, margin_seconds = 2;
  app.add_option("files", files, "histories as JSON lines")->required();
  app.add_option("--ttl", ttl_seconds, "seconds that a cache entry may live");
  app.add_option("--margin", margin_seconds, "seconds beside them that reading and filling may take");
  app.add_option("--steps", options.search_steps_max, "bound of the search, per key");
  app.add_flag("--drained,!--no-drained", options.drained, "whether the final states are those of a drained system");
  app.add_flag("--edn", edn, "print the strong operations as EDN, for Knossos and Porcupine, instead of judging");
  CLI11_PARSE(app, argc, argv);
  options.ttl_us = static_cast<std::uint64_t>(ttl_seconds * 1e6);
  options.margin_us = static_cast<std::uint64_t>(margin_seconds * 1e6);
  int worst = 0;
  Totals totals;
  for (const std::string& path : files)
    worst = std::max(worst, edn ? export_file(path) : judge_file(path, options, totals));
  if (!edn) {
    std::cout << totals.files << " files, " << totals.operations << " operations, " << totals.keys
              << " final states: " << totals.violations << " violations, " << totals.time_outs << " time-outs\n";
  }
  return worst;
}
