// The simulation: runs seeds, says what they have been through, and makes a failing one small (docs/testing.md,
// 'Simulation').
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "core/planted.h"
#include "runtime/log.h"
#include "simulation/campaign.h"
#include "simulation/plan.h"
#include "simulation/run.h"
#include "simulation/shrink.h"

namespace armazem::sim {
namespace {

using Number = unsigned long long;

struct Options {
  Campaign campaign;
  std::uint64_t seed = 0;  // this one alone
  std::string without;
  std::string bug = "none";
  std::string planted_table;
  bool trace = false;
  bool quiet = false;
};

// Per 100,000 seeds of short runs. A simulation that does not get there shows nothing.
struct Floor {
  Seen what;
  std::uint64_t count;
};
constexpr std::uint64_t usual_floor = 200;
constexpr Floor floors[] = {
    {Seen::indeterminate, 1}, {Seen::set_aside, 1}, {Seen::too_old, 1}, {Seen::other_epoch, 50},
    {Seen::store_late_commit, 50}, {Seen::restamped, 20'000}, {Seen::superseded, 20'000}, {Seen::redelivered, 5'000},
    {Seen::already_applied, 5'000}, {Seen::lease_lost, 1'000}, {Seen::history_dropped, 100}};

std::uint64_t floor_of(Seen what) {
  for (const Floor& floor : floors) {
    if (floor.what == what) return floor.count;
  }
  return usual_floor;
}

// False when something is too rare.
bool say_coverage(const Coverage& coverage, std::uint64_t seeds, unsigned size) {
  bool enough = true;
  std::printf("\n%-40s %12s %12s\n", "what happened", "times", "at least");
  for (std::size_t i = 0; i < seen_count; ++i) {
    const auto what = static_cast<Seen>(i);
    // Few seeds prove nothing about how rare something is.
    const std::uint64_t least = seeds < 20'000 || size > 1 ? 0 : floor_of(what) * seeds / 100'000;
    const bool rare = coverage[what] < least;
    enough = enough && !rare;
    std::printf("%-40s %12llu %12llu%s\n", std::string(seen_names[i]).c_str(), static_cast<Number>(coverage[what]), static_cast<Number>(least),
                rare ? "  TOO RARE" : "");
  }
  return enough;
}

std::string command(const Options& options, std::uint64_t seed, const std::string& without) {
  std::string text = "build/release/bin/simulation --seed " + std::to_string(seed) + " --trace";
  if (options.bug != "none") text = "build/planted/bin/simulation --bug " + options.bug + " --seed " + std::to_string(seed) + " --trace";
  if (options.campaign.size > 1) text += " --size " + std::to_string(options.campaign.size);
  if (!without.empty()) text += " --without " + without;
  return text;
}

int run_one(const Options& options) {
  Coverage coverage;
  const LeftOut left_out = LeftOut::parse(options.without);
  const Plan plan = without(make_plan(options.seed, options.campaign.size), left_out);
  if (options.trace) {
    std::printf("seed %llu: %s\n", static_cast<Number>(options.seed), describe(plan.settings).c_str());
    for (const Operation& operation : plan.operations) std::printf("  %s\n", describe(operation).c_str());
    for (const Fault& fault : plan.faults) std::printf("  fault: %s\n", describe(fault).c_str());
  }
  const RunResult first = run(plan, coverage, options.trace);
  const RunResult again = run(plan, coverage, false);
  std::printf("seed %llu: %s%s%s\n%llu events, %llu KiB, digest %016llx\n", static_cast<Number>(options.seed),
              first.ok ? "ok" : first.violation.c_str(), first.ok ? "" : ": ", first.why.c_str(), static_cast<Number>(first.events),
              static_cast<Number>(first.memory / 1024), static_cast<Number>(first.digest));
  if (first.digest != again.digest) {
    std::printf("NOT DETERMINISTIC: the second run took other steps, digest %016llx\n", static_cast<Number>(again.digest));
    return 1;
  }
  return first.ok ? 0 : 1;
}

// The same seeds twice must be the same runs, whatever ran before them in this process.
bool is_deterministic(const Campaign& campaign) {
  constexpr std::uint64_t looked_at = 200;
  std::vector<std::uint64_t> digests;
  Coverage coverage;
  const std::uint64_t count = std::min(looked_at, campaign.seeds);
  for (std::uint64_t i = 0; i < count; ++i) digests.push_back(run(make_plan(campaign.first + i, campaign.size), coverage, false).digest);
  for (std::uint64_t i = count; i > 0; --i) {
    const std::uint64_t seed = campaign.first + i - 1;
    if (run(make_plan(seed, campaign.size), coverage, false).digest == digests[i - 1]) continue;
    std::printf("NOT DETERMINISTIC: seed %llu took other steps the second time\n", static_cast<Number>(seed));
    return false;
  }
  std::printf("deterministic: %llu seeds took the same steps twice\n", static_cast<Number>(count));
  return true;
}

void say_failure(const Options& options, const Failure& failure) {
  std::printf("\nseed %llu: %s\n", static_cast<Number>(failure.seed), failure.violation.c_str());
  std::printf("replay: %s\n", command(options, failure.seed, "").c_str());
  const Plan plan = make_plan(failure.seed, options.campaign.size);
  const LeftOut left_out = shrink(plan);
  std::printf("made smaller, %zu of %zu operations and %zu of %zu faults left:\nreplay: %s\n", plan.operations.size() - left_out.operations.size(),
              plan.operations.size(), plan.faults.size() - left_out.faults.size(), plan.faults.size(),
              command(options, failure.seed, left_out.text()).c_str());
}

int run_many(const Options& options) {
  if (!is_deterministic(options.campaign)) return 1;
  const CampaignResult result = run_campaign(options.campaign);
  if (result.failure) say_failure(options, *result.failure);
  const bool enough = options.quiet || result.failure || say_coverage(result.coverage, options.campaign.seeds, options.campaign.size);
  std::printf("\n%llu seeds from %llu in %.1f s (%.0f a minute with %u jobs): %s\n", static_cast<Number>(result.done),
              static_cast<Number>(options.campaign.first), result.seconds, static_cast<double>(result.done) / result.seconds * 60,
              options.campaign.jobs, result.failure ? "1 FAILED" : "0 violations");
  return result.failure || !enough ? 1 : 0;
}

#ifdef ARMAZEM_PLANTED_BUGS
// Each line of the table: a bug, and within how many seeds it has to be found.
int find_planted(const Options& options) {
  std::ifstream table(options.planted_table);
  std::size_t found = 0;
  std::size_t wanted = 0;
  std::printf("%-24s %10s %12s  %s\n", "bug", "seed", "found within", "what was said");
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string name;
    Campaign campaign = options.campaign;
    fields >> name >> campaign.seeds;
    const auto bug = std::ranges::find(bug_names, name);
    if (bug == bug_names.end()) {
      std::printf("%s: there is no such bug\n", name.c_str());
      return 1;
    }
    planted_bug = static_cast<Bug>(bug - bug_names.begin());
    campaign.progress = false;
    const CampaignResult result = run_campaign(campaign);
    ++wanted;
    found += result.failure ? 1 : 0;
    std::printf("%-24s %10s %12llu  %s\n", name.c_str(), result.failure ? std::to_string(result.failure->seed).c_str() : "-",
                static_cast<Number>(campaign.seeds), result.failure ? result.failure->violation.c_str() : "NOT FOUND");
    std::fflush(stdout);
  }
  const bool all = wanted + 1 == bug_names.size() && found == wanted;
  std::printf("%zu of %zu planted bugs found\n", found, bug_names.size() - 1);
  return all ? 0 : 1;
}
#endif

bool choose_bug(const std::string& name) {
  const auto found = std::ranges::find(bug_names, name);
  if (found == bug_names.end()) {
    std::fprintf(stderr, "simulation: there is no bug '%s'\n", name.c_str());
    return false;
  }
#ifdef ARMAZEM_PLANTED_BUGS
  planted_bug = static_cast<Bug>(found - bug_names.begin());
  return true;
#else
  if (name == "none") return true;
  std::fputs("simulation: built without planted bugs; cmake --preset planted && cmake --build --preset planted\n", stderr);
  return false;
#endif
}

}  // namespace
}  // namespace armazem::sim

int main(int argc, char** argv) {
  using namespace armazem::sim;
  Options options;
  CLI::App app("Simulates Armazem under faults: our own code on simulated tiers, network, time and crashes, seed by seed.");
  app.add_option("--first", options.campaign.first, "the first seed")->capture_default_str();
  app.add_option("--seeds", options.campaign.seeds, "how many")->capture_default_str();
  app.add_option("--jobs", options.campaign.jobs, "processes")->capture_default_str()->check(CLI::Range(1, 64));
  app.add_option("--size", options.campaign.size, "that many times the operations and faults of a short run")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--seed", options.seed, "this one seed only");
  app.add_flag("--trace", options.trace, "with --seed: every step");
  app.add_option("--without", options.without, "with --seed: operations and faults that are left out, such as o3,o4,f0");
  app.add_option("--bug", options.bug, "a planted bug; only in a build of the preset 'planted'")->capture_default_str();
  app.add_option("--planted-bugs", options.planted_table, "finds each bug of this table")->check(CLI::ExistingFile);
  app.add_flag("--no-progress", options.quiet, "only the result");
  CLI11_PARSE(app, argc, argv);
  options.campaign.progress = !options.quiet;
  armazem::log::setup(armazem::log::Level::off, armazem::log::Format::text);
  if (!choose_bug(options.bug)) return 2;
  if (options.seed != 0) return run_one(options);
  if (options.planted_table.empty()) return run_many(options);
#ifdef ARMAZEM_PLANTED_BUGS
  return find_planted(options);
#else
  std::fputs("simulation: built without planted bugs; cmake --preset planted && cmake --build --preset planted\n", stderr);
  return 2;
#endif
}
