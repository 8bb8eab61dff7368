#include "cli/zipf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace armazem::cli {
namespace {

// Every rank's share against the law itself, within five standard deviations: for exponents below, at and above one.
TEST(Zipf, EachRankHasItsShare) {
  constexpr std::uint64_t n = 50;
  constexpr int draws = 400'000;
  for (const double s : {0.5, 0.99, 1.0, 1.5}) {
    double sum = 0;
    for (std::uint64_t k = 1; k <= n; ++k) sum += std::pow(static_cast<double>(k), -s);
    const Zipf zipf(n, s);
    Random random(42);
    std::vector<int> seen(n + 1);
    for (int i = 0; i < draws; ++i) {
      const std::uint64_t rank = zipf(random);
      ASSERT_TRUE(rank >= 1 && rank <= n);
      ++seen[rank];
    }
    for (std::uint64_t k = 1; k <= n; ++k) {
      const double share = std::pow(static_cast<double>(k), -s) / sum;
      const double sigma = std::sqrt(draws * share * (1 - share));
      EXPECT_NEAR(seen[k], draws * share, 5 * sigma) << "rank " << k << " exponent " << s;
    }
  }
}

TEST(Zipf, OneRankAndManyRanks) {
  Random random(1);
  const Zipf one(1, 0.99);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(one(random), 1U);
  constexpr std::uint64_t many = std::uint64_t{1} << 40;
  const Zipf huge(many, 0.99);
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t rank = huge(random);
    ASSERT_TRUE(rank >= 1 && rank <= many);
  }
}

TEST(Random, IsTheSameEverywhereAndStaysInBounds) {
  Random random(0);
  EXPECT_EQ(random.next(), 0xE220A8397B1DCDAFU);  // the published first value of SplitMix64 for the seed 0
  for (int i = 0; i < 1000; ++i) {
    ASSERT_LT(random.below(7), 7U);
    const double unit = random.unit();
    ASSERT_TRUE(unit >= 0 && unit < 1);
  }
}

}  // namespace
}  // namespace armazem::cli
