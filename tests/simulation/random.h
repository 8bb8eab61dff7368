// The only chance in a simulated run: SplitMix64 (Steele, Lea, Flood, 2014), small and good enough to choose by.
#pragma once

#include <cstdint>

namespace armazem::sim {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) noexcept : state_(seed) {}

  constexpr std::uint64_t next() noexcept { return mix(state_ += 0x9E3779B97F4A7C15); }
  // 0 .. bound-1; up to 2^32
  constexpr std::uint64_t below(std::uint64_t bound) noexcept {
    return (next() >> 32) * bound >> 32;
  }
  // Both ends included.
  constexpr std::uint64_t between(std::uint64_t least, std::uint64_t most) noexcept { return least + below(most - least + 1); }
  constexpr bool chance(std::uint64_t percent) noexcept { return below(100) < percent; }
  // Spread over the orders of magnitude: as often between 100 and 1,000 as between 10,000 and 100,000.
  constexpr std::uint64_t spread(std::uint64_t least, std::uint64_t most) noexcept {
    std::uint64_t steps = 0;
    for (std::uint64_t reach = least; reach < most; reach *= 4) ++steps;
    std::uint64_t low = least;
    for (std::uint64_t step = steps == 0 ? 0 : below(steps); step > 0; --step) low *= 4;
    const std::uint64_t high = low * 4 < most ? low * 4 : most;
    return between(low, high);
  }

  // An independent stream for a part of the run, so that leaving out one part does not change what another one gets.
  [[nodiscard]] constexpr Random stream(std::uint64_t name) const noexcept {
    return Random(mix(state_ ^ mix(name * 0xD1B54A32D192ED03 + 1)));
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  std::uint64_t state_;
};

}  // namespace armazem::sim
