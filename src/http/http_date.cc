#include "http/http_date.h"

#include <array>
#include <chrono>
#include <string_view>

namespace armazem::http {
namespace {

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::weekday weekday;
  unsigned hour, minute, second;
};

Civil civil_from(std::uint64_t unix_seconds) {
  const std::chrono::sys_days day{std::chrono::days(static_cast<int>(unix_seconds / 86'400))};
  const auto in_day = static_cast<unsigned>(unix_seconds % 86'400);
  return {day, std::chrono::weekday(day), in_day / 3600, in_day / 60 % 60, in_day % 60};
}

void append_digits(std::string& out, unsigned number, int width) {
  unsigned divisor = 1;
  for (int i = 1; i < width; ++i) divisor *= 10;
  for (; divisor > 0; divisor /= 10) out.push_back(static_cast<char>('0' + number / divisor % 10));
}

// Exactly so many digits at the front, which are taken away.
std::optional<unsigned> take_digits(std::string_view& rest, std::size_t width) {
  if (rest.size() < width) return std::nullopt;
  unsigned number = 0;
  for (const char c : rest.substr(0, width)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  rest.remove_prefix(width);
  return number;
}

// ".1" is 100.
std::optional<unsigned> take_milliseconds(std::string_view& rest) {
  if (!rest.starts_with('.')) return 0;
  rest.remove_prefix(1);
  const std::size_t width = rest.find_first_not_of("0123456789");
  if (width < 1 || width > 3) return std::nullopt;
  auto number = take_digits(rest, width);
  for (std::size_t i = width; number && i < 3; ++i) *number *= 10;
  return number;
}

void append_time(std::string& out, const Civil& civil) {
  append_digits(out, civil.hour, 2);
  out.push_back(':');
  append_digits(out, civil.minute, 2);
  out.push_back(':');
  append_digits(out, civil.second, 2);
}

}  // namespace

void append_http_date(std::string& out, std::uint64_t unix_seconds) {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Civil civil = civil_from(unix_seconds);
  out.append(days.substr(civil.weekday.c_encoding() * 3, 3)).append(", ");
  append_digits(out, static_cast<unsigned>(civil.date.day()), 2);
  out.append(" ").append(months.substr((static_cast<unsigned>(civil.date.month()) - 1) * 3, 3)).append(" ");
  append_digits(out, static_cast<unsigned>(static_cast<int>(civil.date.year())), 4);
  out.push_back(' ');
  append_time(out, civil);
  out.append(" GMT");
}

std::string rfc3339(std::uint64_t unix_ms) {
  const Civil civil = civil_from(unix_ms / 1000);
  std::string out;
  append_digits(out, static_cast<unsigned>(static_cast<int>(civil.date.year())), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(civil.date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(civil.date.day()), 2);
  out.push_back('T');
  append_time(out, civil);
  out.push_back('.');
  append_digits(out, static_cast<unsigned>(unix_ms % 1000), 3);
  out.push_back('Z');
  return out;
}

std::optional<std::uint64_t> parse_rfc3339(std::string_view text) {
  struct Part {
    std::size_t width;
    char after;
  };
  constexpr std::array<Part, 6> parts{{{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '\0'}}};
  std::array<unsigned, parts.size()> numbers{};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto number = take_digits(text, parts[i].width);
    if (!number) return std::nullopt;
    numbers[i] = *number;
    if (parts[i].after == '\0') break;
    if (!text.starts_with(parts[i].after)) return std::nullopt;
    text.remove_prefix(1);
  }
  const auto milliseconds = take_milliseconds(text);
  const auto [year, month, day, hour, minute, second] = numbers;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month), std::chrono::day(day)};
  if (!milliseconds || text != "Z" || !date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto days = static_cast<std::uint64_t>(std::chrono::sys_days(date).time_since_epoch().count());
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + *milliseconds;
}

}  // namespace armazem::http
