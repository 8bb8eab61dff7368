// Random histories of clients of a store that keeps its promises: operations take effect one after the other, each at
// some moment within its time.
#pragma once

#include <cstdint>

#include "checker/history.h"

namespace armazem::checker {

struct RandomHistoryOptions {
  std::size_t operations = 60;
  std::uint32_t keys = 2;
  unsigned unknown_percent = 10;  // of writes whose answer was lost
  bool statuses = true;  // answers tell created from replaced
  bool versions = true;  // answers tell the version
  bool applied = false;  // the final states list what was applied
  std::uint64_t ttl_us = 300;  // how old a cached read may be
};

[[nodiscard]] History random_history(std::uint64_t seed, const RandomHistoryOptions& options);

}  // namespace armazem::checker
