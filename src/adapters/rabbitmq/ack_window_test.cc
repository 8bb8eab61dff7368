#include "adapters/rabbitmq/ack_window.h"

#include <gtest/gtest.h>

namespace armazem::rabbit {
namespace {

using Acks = std::vector<Ack>;

AckWindow window(std::uint64_t last) {
  AckWindow made;
  for (std::uint64_t tag = 1; tag <= last; ++tag) made.delivered(tag);
  return made;
}

TEST(AckWindow, AWholePrefixTakesOneAck) {
  AckWindow five = window(5);
  EXPECT_EQ(five.settle({3, 1, 2}), (Acks{{3, true}}));
  EXPECT_EQ(five.settle({4}), (Acks{{4, false}}));
  EXPECT_EQ(five.settle({5}), (Acks{{5, false}}));
  EXPECT_TRUE(five.empty());
}

TEST(AckWindow, BehindAGapEachHasItsOwn) {
  AckWindow six = window(6);
  EXPECT_EQ(six.settle({1, 2, 4, 6}), (Acks{{2, true}, {4, false}, {6, false}}));
  EXPECT_EQ(six.settle({5, 3}), (Acks{{5, true}})) << "3 and 5 are what is left, so 'up to 5' means just them";
}

TEST(AckWindow, WhatIsNotOpenIsLeftOut) {
  AckWindow two = window(2);
  EXPECT_EQ(two.settle({2, 7}), (Acks{{2, false}}));
  EXPECT_EQ(two.settle({2}), Acks{});
  EXPECT_EQ(two.settle({1, 1}), (Acks{{1, false}}));
}

}  // namespace
}  // namespace armazem::rabbit
