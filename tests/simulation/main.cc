// The simulation: runs seeds, says what it has seen, and makes a failing run small (docs/testing.md, 'Simulation').
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/planted.h"
#include "runtime/log.h"
#include "simulation/plan.h"
#include "simulation/run.h"

namespace armazem::sim {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100'000;
  unsigned jobs = 1;
  unsigned size = 1;
  std::uint64_t seed = 0;  // this one alone
  bool trace = false;
  bool keep_going = false;
  std::string bug = "none";
};

int run_one(const Options& options) {
  Coverage coverage;
  const Plan plan = make_plan(options.seed, options.size);
  if (options.trace) {
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(options.seed), describe(plan.settings).c_str());
    for (const Fault& fault : plan.faults) std::printf("  fault: %s\n", describe(fault).c_str());
  }
  const RunResult result = run(plan, coverage, options.trace);
  std::printf("seed %llu: %s %s, %llu events, %llu KiB, digest %016llx\n", static_cast<unsigned long long>(options.seed),
              result.ok ? "ok" : result.violation.c_str(), result.why.c_str(), static_cast<unsigned long long>(result.events),
              static_cast<unsigned long long>(result.memory / 1024), static_cast<unsigned long long>(result.digest));
  return result.ok ? 0 : 1;
}

int run_many(const Options& options) {
  Coverage coverage;
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t failed = 0;
  for (std::uint64_t seed = options.first; seed < options.first + options.seeds; ++seed) {
    const Plan plan = make_plan(seed, options.size);
    const RunResult result = run(plan, coverage, false);
    if (result.ok) continue;
    ++failed;
    std::printf("seed %llu: %s: %s\n", static_cast<unsigned long long>(seed), result.violation.c_str(), result.why.c_str());
    std::fflush(stdout);
    if (!options.keep_going) break;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu seeds, %llu failed, %.0f a minute\n", static_cast<unsigned long long>(options.seeds), static_cast<unsigned long long>(failed),
              static_cast<double>(options.seeds) / seconds * 60);
  for (std::size_t i = 0; i < seen_count; ++i) {
    std::printf("  %-40s %llu\n", std::string(seen_names[i]).c_str(), static_cast<unsigned long long>(coverage[static_cast<Seen>(i)]));
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace armazem::sim

int main(int argc, char** argv) {
  armazem::sim::Options options;
  CLI::App app("Simulates Armazem under faults, seed by seed.");
  app.add_option("--first", options.first);
  app.add_option("--seeds", options.seeds);
  app.add_option("--jobs", options.jobs);
  app.add_option("--size", options.size);
  app.add_option("--seed", options.seed);
  app.add_flag("--trace", options.trace);
  app.add_flag("--keep-going", options.keep_going);
  app.add_option("--bug", options.bug);
  CLI11_PARSE(app, argc, argv);
  armazem::log::setup(armazem::log::Level::off, armazem::log::Format::text);
  if (options.seed != 0) return armazem::sim::run_one(options);
  return armazem::sim::run_many(options);
}
