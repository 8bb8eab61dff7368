// The flags of `armazem bench`: what they are called and what they mean.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/bench_options.h"

namespace armazem::cli {

// Adds them to the subcommand; `options` must outlive the parsing, which throws CLI::ParseError for what is wrong.
void add_bench_flags(CLI::App& command, BenchOptions& options);

}  // namespace armazem::cli
