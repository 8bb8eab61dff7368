#include <charconv>
#include <istream>
#include <ostream>

#include <fmt/format.h>

#include "cli/series.h"

namespace armazem::cli {
namespace {

constexpr std::string_view header =
    "seconds,operation,requests,errors,requests_per_second,mean_ms,p50_ms,p90_ms,p99_ms,p999_ms,max_ms";
constexpr std::size_t columns = 11;

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const auto comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

bool parse_row(std::string_view line, SeriesRow& row) {
  const std::vector<std::string_view> fields = split(line);
  if (fields.size() != columns || fields[1].empty()) return false;
  row.operation = fields[1];
  return parse(fields[0], row.seconds) && parse(fields[2], row.requests) && parse(fields[3], row.errors) &&
         parse(fields[4], row.per_second) && parse(fields[5], row.mean_ms) && parse(fields[6], row.p50_ms) &&
         parse(fields[7], row.p90_ms) && parse(fields[8], row.p99_ms) && parse(fields[9], row.p999_ms) &&
         parse(fields[10], row.max_ms);
}

}  // namespace

void write_csv(std::ostream& out, const std::vector<SeriesRow>& rows) {
  out << header << '\n';
  for (const SeriesRow& row : rows) {
    out << fmt::format("{:.3f},{},{},{},{:.1f},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f}\n", row.seconds, row.operation,
                       row.requests, row.errors, row.per_second, row.mean_ms, row.p50_ms, row.p90_ms, row.p99_ms,
                       row.p999_ms, row.max_ms);
  }
}

Result<std::vector<SeriesRow>> read_csv(std::istream& in) {
  std::vector<SeriesRow> rows;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    SeriesRow row;
    const bool fits = number == 1 ? line == header : parse_row(line, row);
    if (!fits) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("line {} is not one of a time series; the first must be {}", number, header));
    }
    if (number > 1) rows.push_back(std::move(row));
  }
  if (line.empty() && rows.empty()) return fail(ErrorCode::invalid_argument, "it is empty");
  return rows;
}

}  // namespace armazem::cli
