// `armazem bench`: a load test of one address, with figures that can be trusted. docs/load-tests.md says how to use it.
#pragma once

#include <chrono>
#include <functional>

#include "cli/bench_options.h"
#include "core/time_source.h"

namespace armazem::cli {

// Waits that long; true, perhaps earlier, when the user wants it to end.
using WaitForInterrupt = std::function<bool(std::chrono::milliseconds)>;

// Runs to the end and prints the result; the process' exit code. 1 also means that more requests failed than the options
// allow.
[[nodiscard]] int run_bench(const BenchOptions& options, const TimeSource& time, const WaitForInterrupt& wait);

}  // namespace armazem::cli
