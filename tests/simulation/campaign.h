// Many seeds, on several processes, with a line of progress.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "simulation/coverage.h"

namespace armazem::sim {

struct Campaign {
  std::uint64_t first = 1;
  std::uint64_t seeds = 100'000;
  unsigned jobs = 1;
  unsigned size = 1;
  bool progress = true;   // a line on a terminal, or a new one now and then
};

struct Failure {
  std::uint64_t seed = 0;
  std::string violation;  // "broken invariant" when the process ended by an assertion
};

struct CampaignResult {
  std::uint64_t done = 0;
  double seconds = 0;
  Coverage coverage;
  std::optional<Failure> failure;  // of the smallest seed found; the others stop then
};

[[nodiscard]] CampaignResult run_campaign(const Campaign& campaign);

}  // namespace armazem::sim
