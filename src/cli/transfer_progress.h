// How an export or an import goes, on standard error: one line that is drawn again, on a terminal only; a summary at the end.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "cli/terminal.h"
#include "core/deadline.h"

namespace armazem::cli {

class TransferProgress {
 public:
  explicit TransferProgress(bool quiet) : quiet_(quiet), shown_(!quiet && is_terminal(stderr)) {}

  // `share` of the whole from 0 to 1, negative when it is not known. As often as one likes.
  void show(std::uint64_t entries, std::uint64_t bytes, double share) {
    const MonotonicTime now = MonotonicClock::now();
    if (!shown_ || now < next_) return;
    next_ = now + std::chrono::milliseconds(200);
    std::string line = text(entries, bytes);
    if (share > 0) {
      constexpr double width = 20;
      const auto full = static_cast<std::size_t>(share * width);
      const double left = seconds() * (1 - share) / share;
      line += fmt::format("  [{}{}] {:.0f} %, {:.0f} s left", std::string(full, '#'), std::string(static_cast<std::size_t>(width) - full, '.'), 100 * share, left);
    }
    fmt::print(stderr, "\r\x1b[K{}", line);
  }
  // What is printed afterwards begins on a line of its own.
  void end(const char* what, std::uint64_t entries, std::uint64_t bytes) {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    if (!quiet_) fmt::print(stderr, "{} {}\n", what, text(entries, bytes));
  }
  void clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
  }

 private:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(MonotonicClock::now() - begun_).count(); }
  [[nodiscard]] std::string text(std::uint64_t entries, std::uint64_t bytes) const {
    const double span = std::max(seconds(), 1e-3);
    return fmt::format("{} keys, {:.1f} MiB in {:.1f} s, {:.0f} keys/s", entries, static_cast<double>(bytes) / (1 << 20), span,
                       static_cast<double>(entries) / span);
  }

  const bool quiet_;
  const bool shown_;
  const MonotonicTime begun_ = MonotonicClock::now();
  MonotonicTime next_ = begun_;
};

}  // namespace armazem::cli
