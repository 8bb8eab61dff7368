// The values of single flags, and what makes no sense together. invalid_argument: the message quotes the text and says what
// was expected.
#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "cli/bench_options.h"
#include "core/result.h"

namespace armazem::cli {

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
