// Time that passes only when the test says so, both clocks together.
#pragma once

#include <atomic>
#include <chrono>

#include "core/time_source.h"

namespace armazem::test {

class ManualTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override {
    return 1'700'000'000'000 + static_cast<std::uint64_t>(passed_ms_.load());
  }
  [[nodiscard]] MonotonicTime now() const noexcept override {
    return begin_ + std::chrono::milliseconds(passed_ms_.load());
  }
  void pass(std::chrono::milliseconds span) noexcept { passed_ms_ += span.count(); }

 private:
  const MonotonicTime begin_ = MonotonicClock::now();
  std::atomic<std::int64_t> passed_ms_{0};
};

}  // namespace armazem::test
