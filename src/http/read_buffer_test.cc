#include "http/read_buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace armazem::http {
namespace {

void receive(ReadBuffer& buffer, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = buffer.prepare();
    ASSERT_GE(room.size(), 1U);
    const std::size_t part = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), part);
    buffer.commit(part);
    bytes.remove_prefix(part);
  }
}

TEST(ReadBuffer, BeginsEmptyAndAllocatesWhenNeeded) {
  ReadBuffer buffer;
  EXPECT_EQ(buffer.unread(), "");
  EXPECT_EQ(buffer.prepare().size(), ReadBuffer::idle_capacity);
  EXPECT_EQ(buffer.unread(), "");
}

TEST(ReadBuffer, GivesWhatCameInOrder) {
  ReadBuffer buffer;
  receive(buffer, "hello ");
  receive(buffer, "world");
  EXPECT_EQ(buffer.unread(), "hello world");
  buffer.consume(6);
  EXPECT_EQ(buffer.unread(), "world");
  buffer.consume(5);
  EXPECT_EQ(buffer.unread(), "");
}

TEST(ReadBuffer, GrowsWhileNothingIsConsumed) {
  ReadBuffer buffer;
  const std::string much(10 * ReadBuffer::idle_capacity + 1, 'x');
  receive(buffer, much);
  EXPECT_TRUE(buffer.unread() == much);
}

TEST(ReadBuffer, MovesTheRestToTheFrontInsteadOfGrowing) {
  ReadBuffer buffer;
  receive(buffer, std::string(ReadBuffer::idle_capacity, 'x'));
  buffer.consume(ReadBuffer::idle_capacity - 3);
  EXPECT_EQ(buffer.prepare().size(), ReadBuffer::idle_capacity - 3);
  EXPECT_EQ(buffer.unread(), "xxx");
}

TEST(ReadBuffer, GivesUnusualMemoryBackWhenEmpty) {
  ReadBuffer buffer;
  receive(buffer, std::string(5 * ReadBuffer::idle_capacity, 'x'));
  buffer.shrink_when_empty();
  EXPECT_EQ(buffer.unread().size(), 5 * ReadBuffer::idle_capacity) << "not while something is unread";
  buffer.consume(5 * ReadBuffer::idle_capacity);
  buffer.shrink_when_empty();
  EXPECT_EQ(buffer.prepare().size(), ReadBuffer::idle_capacity);
}

TEST(ReadBuffer, AssignReplacesEverything) {
  ReadBuffer buffer;
  buffer.assign("");
  EXPECT_EQ(buffer.unread(), "");
  receive(buffer, "old");
  buffer.assign("new request");
  EXPECT_EQ(buffer.unread(), "new request");
  const std::string much(3 * ReadBuffer::idle_capacity, 'y');
  buffer.assign(much);
  EXPECT_TRUE(buffer.unread() == much);
  buffer.assign("");
  EXPECT_EQ(buffer.unread(), "");
  receive(buffer, "more");
  EXPECT_EQ(buffer.unread(), "more");
}

TEST(ReadBuffer, AnySequenceKeepsTheStream) {
  std::mt19937_64 random(3);
  ReadBuffer buffer;
  std::string expected;
  char next = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string piece(random() % 700, '\0');
    for (char& c : piece) c = next++;
    receive(buffer, piece);
    expected += piece;
    const std::size_t used =
        random() % 8 == 0 ? expected.size() : random() % (std::min<std::size_t>(expected.size(), 600) + 1);
    buffer.consume(used);
    expected.erase(0, used);
    if (random() % 16 == 0) buffer.shrink_when_empty();
    ASSERT_TRUE(buffer.unread() == expected) << i;
  }
}

TEST(ReadBufferDeathTest, ConsumingMoreThanThereIsEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ReadBuffer buffer;
        receive(buffer, "abc");
        buffer.consume(4);
      },
      "broken invariant");
}

}  // namespace
}  // namespace armazem::http
