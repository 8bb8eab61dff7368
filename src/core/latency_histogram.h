// Durations with a relative error below 0.8 % in constant memory: every power of two of nanoseconds is cut into 128 equal
// buckets (the idea of Gil Tene's HdrHistogram). For measuring; metrics have the coarser core/histogram.h.
//
// Thread rule: one thread.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace armazem {

class LatencyHistogram {
 public:
  using Duration = std::chrono::nanoseconds;
  // 73 minutes; what is longer counts as that. Negative counts as zero.
  static constexpr std::uint64_t longest_ns = (std::uint64_t{1} << 42) - 1;

  void record(Duration duration) {
    const std::uint64_t ns =
        std::min(static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0)), longest_ns);
    if (counts_.empty()) counts_.resize(bucket_of(longest_ns) + 1);  // what never records takes no memory
    ++counts_[bucket_of(ns)];
    ++count_;
    sum_ns_ += ns;
    max_ns_ = std::max(max_ns_, ns);
  }

  void add(const LatencyHistogram& other) {
    if (other.count_ == 0) return;
    counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  void clear() {
    std::ranges::fill(counts_, 0);
    count_ = sum_ns_ = max_ns_ = 0;
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] Duration max() const noexcept { return Duration(max_ns_); }
  [[nodiscard]] Duration mean() const noexcept { return Duration(count_ == 0 ? 0 : sum_ns_ / count_); }

  // The shortest duration that at least `percent` of the observations do not exceed, rounded up to its bucket's end. Zero
  // when there are none; 100 is the maximum.
  [[nodiscard]] Duration percentile(double percent) const {
    const auto rank = static_cast<std::uint64_t>(std::ceil(percent / 100 * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= std::max<std::uint64_t>(rank, 1)) return Duration(std::min(bucket_end(i), max_ns_));
    }
    return max();
  }

 private:
  static constexpr unsigned bits = 7;
  static constexpr std::uint64_t per_power = std::uint64_t{1} << bits;

  // Below 2 * per_power a bucket is one nanosecond wide; from there on twice as wide with each power of two.
  static constexpr unsigned shift_of(std::uint64_t ns) noexcept {
    return ns < 2 * per_power ? 0 : static_cast<unsigned>(std::bit_width(ns)) - bits - 1;
  }
  static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    const unsigned shift = shift_of(ns);
    return static_cast<std::size_t>(shift * per_power + (ns >> shift));
  }
  static constexpr std::uint64_t bucket_end(std::size_t bucket) noexcept {
    const std::uint64_t shift = bucket < 2 * per_power ? 0 : bucket / per_power - 1;
    return ((bucket - shift * per_power + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ns_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace armazem
