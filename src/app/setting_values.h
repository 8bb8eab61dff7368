// Values of settings, with their units.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/result.h"

namespace armazem {

// "500ms", "10s", "2m", "24h".
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);
// "4096", "64KiB", "256MiB", "3GiB"; "KB", "MB" and "GB" are powers of ten.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);

}  // namespace armazem
