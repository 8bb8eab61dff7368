// How long entries live, and how old they say they are.
#include "contract/cache_contract.h"

namespace armazem::test {
namespace {

using std::chrono::milliseconds;

TEST_P(CacheContract, AnEntryEndsWithinTheTimeToLive) {
  make({.ttl = milliseconds(400)});
  ASSERT_TRUE(fill("filled", record_of("v", 1), lease_of("filled")));
  ASSERT_TRUE(fill("negative", std::nullopt, lease_of("negative")));
  write("put", record_of("v", 1));
  const std::uint64_t begin = under_test_->time().wall_ms();
  EXPECT_EQ(read("filled"), "v");
  EXPECT_EQ(read("negative"), "(absent)");
  EXPECT_EQ(read("put"), "v");
  for (const std::string name : {"filled", "negative", "put"}) {
    ASSERT_TRUE(in_time([&] { return read(name) == "(miss)"; }));
    EXPECT_LE(under_test_->time().wall_ms() - begin, 400U + 150) << name;
  }
}

TEST_P(CacheContract, APutBeginsANewLife) {
  make({.ttl = milliseconds(400)});
  write("k", record_of("one", 1));
  ASSERT_TRUE(in_time([&] { return look_up("k").age_ms >= 200; }));
  write("k", record_of("two", 2));
  EXPECT_LT(look_up("k").age_ms, 200U);
}

TEST_P(CacheContract, AnEntryTellsItsAge) {
  write("k", record_of("v", 1));
  EXPECT_LT(look_up("k").age_ms, 1'000U);
  EXPECT_TRUE(in_time([&] { return look_up("k").age_ms >= 50; }));
}

// The record was read at some time after the lease was granted; nobody knows when.
TEST_P(CacheContract, TheAgeOfWhatWasFilledCountsFromTheLease) {
  const Lease lease = lease_of("k");
  const std::uint64_t begin = under_test_->time().wall_ms();
  ASSERT_TRUE(in_time([&] { return under_test_->time().wall_ms() >= begin + 100; }));
  ASSERT_TRUE(fill("k", record_of("v", 1), lease));
  EXPECT_GE(look_up("k").age_ms, 100U);
}

// Its writer may have been paused after the transaction.
TEST_P(CacheContract, TheLifeOfWhatWasWrittenBeginsWhenItWasNew) {
  make({.ttl = milliseconds(4'000)});
  write("older", record_of("before", 1));
  const std::uint64_t begin = under_test_->time().wall_ms();
  const MonotonicTime now = under_test_->time().now();
  write("k", record_of("v", 2), Mode::put, now - milliseconds(1'200));
  write("older", record_of("v", 2), Mode::replace_only, now - milliseconds(1'200));
  for (const std::string name : {"k", "older"}) {
    EXPECT_EQ(read(name), "v") << name;
    EXPECT_GE(look_up(name).age_ms, 1'200U) << name;
  }
  for (const std::string name : {"k", "older"}) {
    ASSERT_TRUE(in_time([&] { return read(name) == "(miss)"; }));
    EXPECT_LE(under_test_->time().wall_ms() - begin, 2'800U + 250) << name;
  }
}

TEST_P(CacheContract, WhatWouldHaveEndedAlreadyOnlyRemovesWhatIsOlder) {
  make({.ttl = milliseconds(2'000)});
  const MonotonicTime long_ago = under_test_->time().now() - milliseconds(2'000);
  write("none", record_of("v", 2), Mode::put, long_ago);
  write("older", record_of("before", 1));
  write("older", record_of("v", 2), Mode::put, long_ago);
  write("newer", record_of("after", 3));
  write("newer", record_of("v", 2), Mode::put, long_ago);
  EXPECT_EQ(read("none"), "(miss)");
  EXPECT_EQ(read("older"), "(miss)");
  EXPECT_EQ(read("newer"), "after");
}

TEST_P(CacheContract, AnEntryDoesNotOutliveItsRecord) {
  Record record = record_of("v", 1);
  record.expires_at_ms = under_test_->time().wall_ms() + 200;
  write("put", record);
  ASSERT_TRUE(fill("filled", record, lease_of("filled")));
  EXPECT_EQ(look_up("put").record.value().expires_at_ms, record.expires_at_ms);
  for (const std::string name : {"put", "filled"}) {
    ASSERT_TRUE(in_time([&] { return read(name) == "(miss)"; }));
    EXPECT_LE(under_test_->time().wall_ms(), *record.expires_at_ms + 150) << name;
  }
}

TEST_P(CacheContract, AnExpiredRecordIsNotKeptAndRemovesWhatIsOlder) {
  write("k", record_of("before", 1));
  Record expired = record_of("v", 2);
  expired.expires_at_ms = under_test_->time().wall_ms() - 1;
  write("k", expired);
  EXPECT_EQ(read("k"), "(miss)");
  EXPECT_FALSE(fill("other", expired, lease_of("other")));
}

}  // namespace
}  // namespace armazem::test
