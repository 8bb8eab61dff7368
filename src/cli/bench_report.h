// What a run says at its end: a table for people, or one JSON object for programs.
#pragma once

#include <cstdint>
#include <string>

#include "cli/load_stats.h"

namespace armazem::cli {

struct BenchResult {
  double seconds = 0;
  Stats stats;
  std::uint64_t never_sent = 0;  // with a rate: due before the end, and no connection was free
  bool interrupted = false;
  bool gave_up = false;  // nothing but errors for a long time

  [[nodiscard]] double error_rate() const;
};

[[nodiscard]] std::string report_text(const BenchOptions& options, const BenchResult& result);
[[nodiscard]] std::string report_json(const BenchOptions& options, const BenchResult& result);

}  // namespace armazem::cli
