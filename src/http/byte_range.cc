#include "http/byte_range.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "http/field_values.h"

namespace armazem::http {
namespace {

using Kind = ByteRange::Kind;

// Digits only; one too large for us lies behind every end.
std::optional<std::size_t> position(std::string_view text) noexcept {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? number : std::numeric_limits<std::size_t>::max();
}

ByteRange last_bytes(std::size_t count, std::size_t size) noexcept {
  if (count == 0) return {Kind::unsatisfiable};
  if (size == 0) return {};  // no range can be named of nothing
  count = std::min(count, size);
  return {Kind::part, size - count, count};
}

}  // namespace

ByteRange find_range(std::string_view header, std::size_t size) noexcept {
  constexpr std::string_view unit = "bytes=";
  if (header.size() < unit.size() || !equal_ignoring_case(header.substr(0, unit.size()), unit)) return {};
  const std::string_view range = header.substr(unit.size());
  const auto dash = range.find('-');
  if (dash == range.npos) return {};
  const std::string_view from = range.substr(0, dash);
  const std::string_view to = range.substr(dash + 1);
  const auto last = position(to);
  if (from.empty()) return last ? last_bytes(*last, size) : ByteRange{};
  const auto first = position(from);
  if (!first || (!to.empty() && (!last || *last < *first))) return {};
  if (*first >= size) return {Kind::unsatisfiable};
  const std::size_t end = to.empty() || *last >= size ? size : *last + 1;
  return {Kind::part, *first, end - *first};
}

}  // namespace armazem::http
