// The flags of `armazem bench`: what they are called, what they mean, and what makes no sense together.
#pragma once

#include <chrono>
#include <string_view>

#include "cli/bench_options.h"
#include "core/result.h"

namespace CLI {
class App;
}

namespace armazem::cli {

// Adds them to the subcommand; `options` must outlive the parsing. Throws CLI::ParseError while parsing, as CLI11 does.
void add_bench_flags(CLI::App& command, BenchOptions& options);

// "250ms", "30s", "5m", "2h".
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "100", "16KiB", "1MiB".
[[nodiscard]] Result<std::size_t> parse_bytes(std::string_view text);
// "100", "10-4096", "zipf:10-4096".
[[nodiscard]] Result<ValueOptions> parse_value_sizes(std::string_view text);
// "put=50,get=45,delete=5": shares of whatever sum.
[[nodiscard]] Result<std::array<unsigned, operation_count>> parse_mix(std::string_view text);
// "sequential", "uniform", "latest", "zipf", "zipf:1.2".
[[nodiscard]] Result<KeyOptions> parse_key_pattern(std::string_view text, KeyOptions others);

// What only shows when all flags are known; fills the default duration in.
[[nodiscard]] Result<void> check_bench_options(BenchOptions& options);

}  // namespace armazem::cli
