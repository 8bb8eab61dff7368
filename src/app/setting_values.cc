#include "app/setting_values.h"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace armazem {
namespace {

struct Quantity {
  std::uint64_t number;
  std::string_view unit;
};

std::optional<Quantity> split(std::string_view text) {
  Quantity quantity{0, {}};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (error != std::errc{}) return std::nullopt;
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return quantity;
}

template <std::size_t n>
std::optional<std::uint64_t> scale(const Quantity& quantity, const std::array<std::pair<std::string_view, std::uint64_t>, n>& units) {
  for (const auto& [unit, factor] : units) {
    if (unit != quantity.unit) continue;
    if (quantity.number > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
    return quantity.number * factor;
  }
  return std::nullopt;
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
  const auto quantity = split(text);
  const auto ms = quantity ? scale(*quantity, units) : std::nullopt;
  if (!ms) return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a duration; write for example 500ms, 10s, 2m or 24h");
  return std::chrono::milliseconds(static_cast<std::int64_t>(*ms));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::uint64_t one = 1;
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 8> units{{{"", 1}, {"B", 1}, {"KiB", one << 10}, {"MiB", one << 20},
      {"GiB", one << 30}, {"KB", 1'000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}}};
  const auto quantity = split(text);
  const auto bytes = quantity ? scale(*quantity, units) : std::nullopt;
  if (!bytes) return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a size; write for example 4096, 64KiB, 256MiB or 3GiB");
  return *bytes;
}

Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto quantity = split(text);
  if (!quantity || !quantity->unit.empty() || quantity->number < least || quantity->number > most) {
    return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return quantity->number;
}

}  // namespace armazem
