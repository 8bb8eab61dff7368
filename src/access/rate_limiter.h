// Token buckets of many subjects (addresses, key ids) in a table of fixed size.
//
// A bucket is one number: the time at which it will be full again. Taking a token moves it on by one interval; a token is
// there while that time lies less than a whole burst ahead (the generic cell rate algorithm, ITU-T I.371). So nothing has
// to be filled up by a timer, and a bucket that is full may be forgotten.
//
// When the table is crowded, the bucket nearest to full gives way to a new subject. Who comes from very many addresses
// gets more than his rate by that, but never more memory, and others are never refused for it.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/deadline.h"
#include "core/mutex.h"

namespace armazem {

struct Rate {
  std::chrono::nanoseconds interval{0};  // between tokens; 0: no limit
  std::uint64_t burst = 1;  // tokens of a full bucket

  static Rate per(std::chrono::nanoseconds span, std::uint64_t tokens, std::uint64_t burst) noexcept;
  [[nodiscard]] bool is_limit() const noexcept { return interval.count() > 0; }
};

class RateLimiter {
 public:
  using Subject = std::array<std::uint8_t, 16>;
  static constexpr std::size_t subjects_max = 32'768;

  explicit RateLimiter(Rate rate);
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Takes a token. When there is none: how long until there is one.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> take(const Subject& subject, MonotonicTime now);

 private:
  struct Bucket {
    Subject subject{};
    MonotonicTime full_at{};
  };
  // A subject may be in one set only; so what is looked at is bounded, and a lock is held for a few comparisons.
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t sets = subjects_max / ways;
  static constexpr std::size_t locks = 64;
  using Set = std::array<Bucket, ways>;

  [[nodiscard]] std::size_t set_of(const Subject& subject) const noexcept;
  static Bucket& bucket_in(Set& set, const Subject& subject) noexcept;

  const Rate rate_;
  const std::uint64_t seed_;  // so that nobody can choose addresses that meet in one set
  std::array<Mutex, locks> mutexes_;  // set i is guarded by mutex i % locks
  std::vector<Set> sets_;  // empty when there is no limit
};

}  // namespace armazem
