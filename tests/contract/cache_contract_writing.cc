// Writes: versions decide, and a lease never survives one.
#include "contract/cache_contract.h"

namespace armazem::test {
namespace {

TEST_P(CacheContract, APutCreatesAndReplacesOnlyWhatIsOlder) {
  write("k", record_of("two", 2));
  EXPECT_EQ(read("k"), "two");
  write("k", record_of("one", 1));
  EXPECT_EQ(read("k"), "two");
  write("k", record_of("three", 3));
  EXPECT_EQ(read("k"), "three");
  write("k", tombstone_of(4));
  EXPECT_EQ(read("k"), "(absent)");
  write("k", record_of("three again", 3));
  EXPECT_EQ(read("k"), "(absent)");
  write("k", record_of("five", 5));
  EXPECT_EQ(read("k"), "five");
}

TEST_P(CacheContract, AnEqualVersionChangesNothing) {
  for (const Mode mode : {Mode::put, Mode::replace_only, Mode::remove_older}) {
    const std::string name = "k" + std::to_string(static_cast<int>(mode));
    write(name, record_of("first", 5));
    write(name, record_of("same version", 5), mode);
    EXPECT_EQ(read(name), "first");
  }
}

TEST_P(CacheContract, TheOpIdDecidesBetweenEqualTimes) {
  write("k", record_of("op 7", 1, 7));
  write("k", record_of("op 6", 1, 6));
  EXPECT_EQ(read("k"), "op 7");
  write("k", record_of("op 8", 1, 8));
  EXPECT_EQ(read("k"), "op 8");
}

TEST_P(CacheContract, ReplaceOnlyCreatesNothing) {
  write("k", record_of("one", 1), Mode::replace_only);
  EXPECT_EQ(read("k"), "(miss)");
  write("present", record_of("two", 2));
  write("present", record_of("one", 1), Mode::replace_only);
  EXPECT_EQ(read("present"), "two");
  write("present", record_of("three", 3), Mode::replace_only);
  EXPECT_EQ(read("present"), "three");
  write("present", tombstone_of(4), Mode::replace_only);
  EXPECT_EQ(read("present"), "(absent)");
}

TEST_P(CacheContract, RemoveOlderRemovesWhatIsOlder) {
  write("k", record_of("two", 2));
  write("k", record_of("", 1), Mode::remove_older);
  EXPECT_EQ(read("k"), "two");
  write("k", record_of("", 3), Mode::remove_older);
  EXPECT_EQ(read("k"), "(miss)");
  write("nothing there", record_of("", 3), Mode::remove_older);
  EXPECT_EQ(read("nothing there"), "(miss)");
}

TEST_P(CacheContract, EveryModeDestroysALease) {
  for (const Mode mode : {Mode::put, Mode::replace_only, Mode::remove_older}) {
    const std::string name = "k" + std::to_string(static_cast<int>(mode));
    const Lease lease = lease_of(name);
    write(name, record_of("written", 2), mode);
    EXPECT_FALSE(fill(name, record_of("read before", 1), lease));
    EXPECT_EQ(read(name), mode == Mode::put ? "written" : "(miss)");
  }
}

TEST_P(CacheContract, ABatchMayNameAKeyTwiceAndMixModes) {
  write("doomed", record_of("one", 1));
  const std::vector<CacheWrite> writes = {{key("k"), record_of("two", 2), Mode::put},
                                          {key("doomed"), record_of("", 2), Mode::remove_older},
                                          {key("k"), record_of("one", 1), Mode::put},
                                          {key("k"), record_of("three", 3), Mode::put},
                                          {key("new"), record_of("x", 1), Mode::replace_only},
                                          {key("other"), record_of("y", 1), Mode::put}};
  ASSERT_TRUE(executor_.run(cache().write(writes, soon())).has_value());
  EXPECT_EQ(read("k"), "three");
  EXPECT_EQ(read("doomed"), "(miss)");
  EXPECT_EQ(read("new"), "(miss)");
  EXPECT_EQ(read("other"), "y");
}

TEST_P(CacheContract, AnEmptyBatchIsNothing) { EXPECT_TRUE(executor_.run(cache().write({}, soon())).has_value()); }

TEST_P(CacheContract, ABatchReachesEveryShard) {
  std::vector<CacheWrite> writes;
  for (int i = 0; i < 512; ++i) {
    writes.push_back({key("k" + std::to_string(i)), record_of("v" + std::to_string(i), 1), Mode::put});
  }
  ASSERT_TRUE(executor_.run(cache().write(writes, soon())).has_value());
  for (int i = 0; i < 512; ++i) ASSERT_EQ(read("k" + std::to_string(i)), "v" + std::to_string(i));
}

// What is too large is not kept, but what was there before must go.
TEST_P(CacheContract, ARecordAboveTheBoundIsNotKept) {
  make({.entry_bytes_max = 100});
  write("k", record_of("small", 1));
  write("k", record_of(std::string(100, 'x'), 2));
  EXPECT_EQ(read("k"), std::string(100, 'x'));
  write("k", record_of(std::string(101, 'x'), 3));
  EXPECT_EQ(read("k"), "(miss)");
  EXPECT_FALSE(fill("other", record_of(std::string(101, 'x'), 3), lease_of("other")));
}

}  // namespace
}  // namespace armazem::test
