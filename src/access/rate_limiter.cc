#include "access/rate_limiter.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace armazem {
namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::uint64_t random_seed() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

}  // namespace

Rate Rate::per(std::chrono::nanoseconds span, std::uint64_t tokens, std::uint64_t burst) noexcept {
  if (tokens == 0) return {};
  const auto interval = span / static_cast<std::int64_t>(tokens);
  return {std::max(interval, std::chrono::nanoseconds(1)), std::max<std::uint64_t>(burst, 1)};
}

RateLimiter::RateLimiter(Rate rate) : rate_(rate), seed_(random_seed()), sets_(rate.is_limit() ? sets : 0) {}

std::size_t RateLimiter::set_of(const Subject& subject) const noexcept {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), subject.data(), sizeof halves);
  return mix(mix(halves[0] ^ seed_) + halves[1]) % sets;
}

// The subject's own, else the one nearest to full.
RateLimiter::Bucket& RateLimiter::bucket_in(Set& set, const Subject& subject) noexcept {
  Bucket* oldest = set.data();
  for (Bucket& bucket : set) {
    if (bucket.subject == subject) return bucket;
    if (bucket.full_at < oldest->full_at) oldest = &bucket;
  }
  *oldest = {subject, {}};
  return *oldest;
}

std::optional<std::chrono::nanoseconds> RateLimiter::take(const Subject& subject, MonotonicTime now) {
  if (sets_.empty()) return std::nullopt;
  const std::size_t at = set_of(subject);
  const MutexLock lock(mutexes_[at % locks]);
  Bucket& bucket = bucket_in(sets_[at], subject);
  const MonotonicTime full_at = std::max(bucket.full_at, now);
  const auto missing = full_at - now;  // for a full bucket
  const auto spare = rate_.interval * static_cast<std::int64_t>(rate_.burst - 1);
  if (missing > spare) return missing - spare;
  bucket.full_at = full_at + rate_.interval;
  return std::nullopt;
}

}  // namespace armazem
