#include "http/byte_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

namespace armazem::http {
namespace {

TEST(ByteBudget, SharesAreBoundedTogether) {
  ByteBudget budget(100);
  ByteBudget::Share a(budget);
  ByteBudget::Share b(budget);
  EXPECT_TRUE(a.grow_to(60));
  EXPECT_FALSE(b.grow_to(41));
  EXPECT_EQ(budget.used(), 60U) << "a refusal takes nothing";
  EXPECT_TRUE(b.grow_to(40)) << "exactly at the bound";
  EXPECT_EQ(budget.used(), 100U);
}

TEST(ByteBudget, AShareGrowsByTheDifferenceAndNeverShrinks) {
  ByteBudget budget(100);
  ByteBudget::Share share(budget);
  EXPECT_TRUE(share.grow_to(60));
  EXPECT_TRUE(share.grow_to(90));
  EXPECT_EQ(budget.used(), 90U);
  EXPECT_TRUE(share.grow_to(10));
  EXPECT_EQ(budget.used(), 90U);
  EXPECT_FALSE(share.grow_to(101));
  EXPECT_EQ(budget.used(), 90U) << "it stays as it was";
}

TEST(ByteBudget, EverythingIsGivenBack) {
  ByteBudget budget(100);
  {
    ByteBudget::Share share(budget);
    EXPECT_TRUE(share.grow_to(70));
    share.release();
    EXPECT_EQ(budget.used(), 0U);
    share.release();
    EXPECT_EQ(budget.used(), 0U) << "once";
    EXPECT_TRUE(share.grow_to(100));
  }
  EXPECT_EQ(budget.used(), 0U);
}

TEST(ByteBudget, SizesThatOverflowAreRefused) {
  ByteBudget budget(100);
  ByteBudget::Share small(budget);
  ByteBudget::Share huge(budget);
  EXPECT_TRUE(small.grow_to(10));
  EXPECT_FALSE(huge.grow_to(std::numeric_limits<std::size_t>::max()));
  EXPECT_FALSE(small.grow_to(std::numeric_limits<std::size_t>::max()));
  EXPECT_EQ(budget.used(), 10U);
}

TEST(ByteBudget, ManyThreadsNeverHoldMoreThanTheBound) {
  constexpr std::size_t bound = 1000;
  ByteBudget budget(bound);
  std::atomic<std::size_t> held{0};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20'000; ++i) {
        ByteBudget::Share share(budget);
        const std::size_t size = 200 + (i * 7 + t) % 200;
        if (!share.grow_to(size)) continue;
        if (held.fetch_add(size) + size > bound) over = true;
        held.fetch_sub(size);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(over);
  EXPECT_EQ(budget.used(), 0U);
}

}  // namespace
}  // namespace armazem::http
