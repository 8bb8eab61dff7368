// Shows how a run goes: one line that is drawn again on a terminal, else a line every ten seconds.
#pragma once

#include <cstdio>
#include <string>

#include "cli/bench_options.h"
#include "cli/load_stats.h"

namespace armazem::cli {

class BenchProgress {
 public:
  // Quiet: says nothing.
  BenchProgress(const BenchOptions& options, std::FILE* out);

  // As often as one likes. `elapsed`: since the begin of the measurement; negative while it warms up.
  void show(double elapsed, const Collector::Progress& progress);
  // Removes the line, so that other output begins on a clean one.
  void end();

 private:
  [[nodiscard]] std::string line(double elapsed, const Collector::Progress& progress) const;
  // From 0 to 1; negative when the run has no end that is known before.
  [[nodiscard]] double share(double elapsed, std::uint64_t requests) const;

  const BenchOptions& options_;
  std::FILE* const out_;
  const bool terminal_;
  double shown_at_ = 0;
};

}  // namespace armazem::cli
