#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "cli/series.h"

namespace armazem::cli {
namespace {

constexpr double width = 860, left = 70, right = 130, top = 46, panel = 200, gap = 56;
constexpr double plot = width - left - right;
constexpr double height = top + 2 * panel + gap + 46;
// A last interval that is hardly begun would draw a rate of nothing.
constexpr double shortest_interval = 0.25;

constexpr std::string_view style = R"(
  .page { fill: #ffffff; stroke: #d0d7de } .text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d0d7de }
  .line { fill: none; stroke-width: 1.6 } .a { stroke: #0969da } .b { stroke: #1a7f37 } .c { stroke: #bc4c00 } .bad { stroke: #d1242f }
  text { font: 12px system-ui, sans-serif } .heading { font-size: 13px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d } .text { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d }
    .a { stroke: #4493f8 } .b { stroke: #3fb950 } .c { stroke: #db6d28 } .bad { stroke: #f85149 }
  }
)";

struct Point {
  double x = 0;
  double y = 0;
};
struct Line {
  std::string name;
  std::string_view look;  // a class of the style
  std::vector<Point> points;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// 1, 2 or 5 times a power of ten, so that about `steps` of them make `span`.
double step_for(double span, double steps) {
  const double rough = std::max(span, 1e-9) / steps;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) return factor * power;
  }
  return 10 * power;
}

// One panel: where it is, what its scale is, and the SVG text that gathers.
class Panel {
 public:
  Panel(std::string& out, double y, double seconds) : out_(out), y_(y), seconds_(std::max(seconds, 1e-3)) {}

  void heading(std::string_view text) {
    out_ +=
        fmt::format("<text class=\"text heading\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", left, y_ - 12, escaped(text));
  }
  void linear(double highest) {
    const double step = step_for(std::max(highest, 1.0), 5);
    high_ = std::ceil(std::max(highest, 1.0) / step) * step;
    for (double at = 0; at <= high_ * 1.001; at += step) grid(at);
  }
  void logarithmic(double lowest, double highest) {
    log_ = true;
    low_ = std::pow(10, std::floor(std::log10(std::max(lowest, 1e-3))));
    high_ = std::pow(10, std::max(std::ceil(std::log10(std::max(highest, 1e-3))), std::log10(low_) + 1));
    for (double at = low_; at <= high_ * 1.001; at *= 10) grid(at);
  }
  void time_axis() {
    const double step = step_for(seconds_, 10);
    for (double at = 0; at <= seconds_ * 1.001; at += step) {
      out_ += fmt::format("<text class=\"faint\" x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"middle\">{:g}</text>\n",
                          x_of(at), y_ + panel + 18, at);
    }
  }
  void draw(const std::vector<Line>& lines) {
    std::vector<double> taken;
    for (const Line& line : lines) {
      if (line.points.empty()) continue;
      out_ += fmt::format("<polyline class=\"line {}\" points=\"", line.look);
      for (const Point& point : line.points) out_ += fmt::format("{:.1f},{:.1f} ", x_of(point.x), y_of(point.y));
      out_ += "\"/>\n";
      // The name stands at the end of the line; one that would cover another moves down.
      double at = y_of(line.points.back().y);
      while (std::ranges::any_of(taken, [&](double other) { return std::abs(other - at) < 14; })) at += 3;
      taken.push_back(at);
      out_ += fmt::format(
          "<line class=\"line {}\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
          "<text class=\"text\" x=\"{:.0f}\" y=\"{:.1f}\">{}</text>\n",
          line.look, left + plot + 8, left + plot + 24, at, at, left + plot + 30, at + 4, escaped(line.name));
    }
  }

 private:
  void grid(double value) {
    const double y = y_of(value);
    out_ += fmt::format(
        "<line class=\"grid\" x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"faint\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{:g}</text>\n",
        left, left + plot, y, y, left - 8, y + 4, value);
  }
  [[nodiscard]] double x_of(double seconds) const { return left + plot * std::clamp(seconds / seconds_, 0.0, 1.0); }
  [[nodiscard]] double y_of(double value) const {
    const double share =
        log_ ? (std::log10(std::max(value, low_)) - std::log10(low_)) / (std::log10(high_) - std::log10(low_))
             : value / high_;
    return y_ + panel * (1 - std::clamp(share, 0.0, 1.0));
  }

  std::string& out_;
  const double y_;
  const double seconds_;
  double low_ = 0;
  double high_ = 1;
  bool log_ = false;
};

std::vector<SeriesRow> rows_of(const std::vector<SeriesRow>& rows, std::string_view operation) {
  std::vector<SeriesRow> found;
  double before = 0;
  for (const SeriesRow& row : rows) {
    if (row.operation == operation && row.seconds - before >= shortest_interval) found.push_back(row);
    if (row.operation == "all") before = row.seconds;
  }
  return found;
}

Line line_of(const std::vector<SeriesRow>& rows, std::string name, std::string_view look, double SeriesRow::* member) {
  Line line{std::move(name), look, {}};
  for (const SeriesRow& row : rows) line.points.push_back({row.seconds, row.*member});
  return line;
}

double highest_of(const std::vector<Line>& lines) {
  double highest = 0;
  for (const Line& line : lines) {
    for (const Point& point : line.points) highest = std::max(highest, point.y);
  }
  return highest;
}

std::vector<Line> rate_lines(const std::vector<SeriesRow>& rows) {
  constexpr std::string_view looks[] = {"a", "b", "c"};
  std::vector<Line> lines;
  lines.reserve(operation_count + 1);
  for (std::size_t i = 0; i < operation_count; ++i) {
    lines.push_back(
        line_of(rows_of(rows, operation_names[i]), std::string(operation_names[i]), looks[i], &SeriesRow::per_second));
  }
  Line errors{"errors", "bad", {}};
  double before = 0;
  bool any = false;
  for (const SeriesRow& row : rows_of(rows, "all")) {
    errors.points.push_back({row.seconds, static_cast<double>(row.errors) / (row.seconds - before)});
    before = row.seconds;
    any = any || row.errors > 0;
  }
  if (any) lines.push_back(std::move(errors));
  return lines;
}

}  // namespace

std::string draw_chart(const std::vector<SeriesRow>& rows, const std::string& title) {
  const std::vector<SeriesRow> all = rows_of(rows, "all");
  const double seconds = all.empty() ? 1 : all.back().seconds;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\">\n"
      "<title>{2}</title>\n<style>{3}</style>\n<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{4:.0f}\" height=\"{5:.0f}\" rx=\"6\"/>\n",
      width, height, escaped(title), style, width - 1, height - 1);

  Panel rates(out, top, seconds);
  const std::vector<Line> by_operation = rate_lines(rows);
  rates.heading(title + ": requests per second");
  rates.linear(highest_of(by_operation));
  rates.time_axis();
  rates.draw(by_operation);

  Panel latencies(out, top + panel + gap, seconds);
  const std::vector<Line> percentiles{
      line_of(all, "max", "bad", &SeriesRow::max_ms), line_of(all, "p99", "c", &SeriesRow::p99_ms),
      line_of(all, "p90", "b", &SeriesRow::p90_ms), line_of(all, "p50", "a", &SeriesRow::p50_ms)};
  double lowest = highest_of(percentiles);
  for (const SeriesRow& row : all) {
    if (row.p50_ms > 0) lowest = std::min(lowest, row.p50_ms);
  }
  latencies.heading("latency in ms, logarithmic");
  latencies.logarithmic(lowest, highest_of(percentiles));
  latencies.time_axis();
  latencies.draw(percentiles);
  out += fmt::format("<text class=\"faint\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">seconds</text>\n</svg>\n",
                     left + plot / 2, height - 10);
  return out;
}

}  // namespace armazem::cli
