// A run second by second: as CSV, and as a chart.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/load_stats.h"
#include "core/result.h"

namespace armazem::cli {

void write_csv(std::ostream& out, const std::vector<SeriesRow>& rows);
// What write_csv wrote, or another program in that form. invalid_argument: the message has the line's number.
[[nodiscard]] Result<std::vector<SeriesRow>> read_csv(std::istream& in);

// Two panels over the same seconds: requests per second by operation, and the percentiles of all on a logarithmic scale.
// It brings its own background, light or dark as the page. An empty series gives an empty chart.
[[nodiscard]] std::string draw_chart(const std::vector<SeriesRow>& rows, const std::string& title);

}  // namespace armazem::cli
