#include "service/op_ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

namespace armazem {
namespace {

constexpr IdempotentRequest base{"order-17", Mutation::Kind::put, "k", "text/plain", "body", 60};

// Ids are compared over the life of a cluster: another program version must find the same one.
TEST(DigestOpId, TheFormIsFixed) { EXPECT_EQ(digest_op_id(base).bits(), 0x06f5d4b8c7cccdd8U); }

TEST(DigestOpId, TheSameRequestIsTheSameOperation) {
  const std::string copy(base.body);
  IdempotentRequest again = base;
  again.body = copy;
  EXPECT_EQ(digest_op_id(base), digest_op_id(again));
}

TEST(DigestOpId, EveryFieldMakesAnotherOperation) {
  std::vector<IdempotentRequest> requests(8, base);
  requests[1].idempotency_key = "order-18";
  requests[2].kind = Mutation::Kind::remove;
  requests[3].key = "K";
  requests[4].content_type = "text/html";
  requests[5].body = "Body";
  requests[6].ttl_seconds = 61;
  requests[7].ttl_seconds = 0;
  std::set<OpId> ids;
  for (const IdempotentRequest& request : requests) ids.insert(digest_op_id(request));
  EXPECT_EQ(ids.size(), requests.size());
}

// The same bytes in a row, cut at other places, are other requests.
TEST(DigestOpId, BytesThatMoveBetweenFieldsMakeAnotherOperation) {
  constexpr std::string_view text = "abcd";
  std::set<OpId> ids;
  std::size_t requests = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      for (std::size_t k = j; k <= text.size(); ++k, ++requests) {
        ids.insert(digest_op_id(
            {text.substr(0, i), Mutation::Kind::put, text.substr(i, j - i), text.substr(j, k - j), text.substr(k), 0}));
      }
    }
  }
  EXPECT_EQ(ids.size(), requests);
}

TEST(DigestOpId, NulBytesCount) {
  IdempotentRequest one = base;
  IdempotentRequest two = base;
  one.body = std::string_view("a\0", 2);
  two.body = std::string_view("a\0\0", 3);
  EXPECT_NE(digest_op_id(one), digest_op_id(two));
}

TEST(RandomOpIds, AreDifferentOnAllThreads) {
  constexpr std::size_t threads = 8;
  constexpr std::size_t each = 10'000;
  RandomOpIds source;
  std::vector<std::vector<OpId>> drawn(threads);
  std::vector<std::thread> running;
  for (std::vector<OpId>& mine : drawn) {
    running.emplace_back([&] {
      for (std::size_t i = 0; i < each; ++i) mine.push_back(source.next());
    });
  }
  for (std::thread& thread : running) thread.join();
  std::set<OpId> all;
  for (const std::vector<OpId>& mine : drawn) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), threads * each);
}

TEST(RandomOpIds, UseEveryBit) {
  RandomOpIds source;
  std::uint64_t ones = 0;
  std::uint64_t zeros = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t bits = source.next().bits();
    ones |= bits;
    zeros |= ~bits;
  }
  EXPECT_EQ(ones, OpId::mask);
  EXPECT_EQ(zeros & OpId::mask, OpId::mask);
}

}  // namespace
}  // namespace armazem
