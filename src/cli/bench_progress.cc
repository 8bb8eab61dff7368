#include "cli/bench_progress.h"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>

namespace armazem::cli {
namespace {

constexpr int bar_width = 24;
constexpr double plain_every_seconds = 10;
constexpr std::string_view clear_line = "\r\x1b[K";

}  // namespace

BenchProgress::BenchProgress(const BenchOptions& options, std::FILE* out)
    : options_(options), out_(out), terminal_(::isatty(::fileno(out)) == 1) {}

void BenchProgress::show(double elapsed, const Collector::Progress& progress) {
  if (options_.quiet) return;
  if (!terminal_) {
    if (elapsed - shown_at_ < plain_every_seconds) return;
    shown_at_ = elapsed;
  }
  const std::string text = line(elapsed, progress);
  std::fputs(terminal_ ? (std::string(clear_line) + text).c_str() : (text + "\n").c_str(), out_);
  std::fflush(out_);
}

void BenchProgress::end() {
  if (options_.quiet || !terminal_) return;
  std::fputs(std::string(clear_line).c_str(), out_);
  std::fflush(out_);
}

std::string BenchProgress::line(double elapsed, const Collector::Progress& progress) const {
  if (elapsed < 0) return fmt::format("warming up, {:.0f} s more", -elapsed);
  const double done = share(elapsed, progress.requests);
  std::string text;
  if (done >= 0 && terminal_) {
    const int full = static_cast<int>(done * bar_width);
    text = fmt::format("[{:=<{}}{: <{}}] ", "", full, "", bar_width - full);
  }
  if (done >= 0) text += fmt::format("{:3.0f} % ", done * 100);
  return text + fmt::format("{:.0f} s  {} requests  {:.0f}/s  p50 {:.2f} ms  p99 {:.2f} ms  {} errors", elapsed,
                            progress.requests, progress.latest.per_second, progress.latest.p50_ms,
                            progress.latest.p99_ms, progress.errors);
}

double BenchProgress::share(double elapsed, std::uint64_t requests) const {
  const std::uint64_t wanted = options_.loops > 0 ? options_.loops * options_.connections : options_.count;
  double done = -1;
  if (wanted > 0) done = static_cast<double>(requests) / static_cast<double>(wanted);
  if (options_.duration.count() > 0) {
    done = std::max(done, elapsed / std::chrono::duration<double>(options_.duration).count());
  }
  return std::min(done, 1.0);
}

}  // namespace armazem::cli
