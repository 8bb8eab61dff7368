#include "http/http_date.h"

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

}  // namespace armazem::http
