// One simulated run: a plan is carried out, everything is healed and drained, and what the clients saw is judged.
#pragma once

#include <cstdint>
#include <string>

#include "checker/history.h"
#include "simulation/coverage.h"
#include "simulation/plan.h"

namespace armazem::sim {

struct RunResult {
  bool ok = true;
  std::string violation;  // its short name
  std::string why;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  std::uint64_t memory = 0;
};

// With `trace`, every step is printed.
[[nodiscard]] RunResult run(const Plan& plan, Coverage& coverage, bool trace);

}  // namespace armazem::sim
