// What the memory cache can do beyond the contract: fail in the ways of a real one.
#include "adapters/memory/memory_cache.h"

#include "contract/cache_contract.h"
#include "support/manual_time.h"

namespace armazem::test {
namespace {

class MemoryCacheTest : public testing::Test {
 protected:
  std::string read(const std::string& name) {
    const Key wanted = key(name);
    const auto found = run_task(cache_.get(wanted, soon()));
    if (!found) return std::string(to_string(found.error().code));
    return found->record ? found->record->value.bytes : found->lease ? "(lease)" : "(miss)";
  }
  void put(const std::string& name, const std::string& bytes, std::uint64_t ms) {
    const std::vector<CacheWrite> writes = {{key(name), record_of(bytes, ms), CacheWrite::Mode::put}};
    ASSERT_TRUE(run_task(cache_.write(writes, soon())).has_value());
  }

  ManualTime time_;
  MemoryCache cache_{time_};
};

TEST_F(MemoryCacheTest, BreaksDownAndRecovers) {
  put("k", "v", 1);
  cache_.break_down({ErrorCode::unavailable, "down"});
  EXPECT_EQ(read("k"), "unavailable");
  EXPECT_FALSE(cache_.health().ok);
  EXPECT_EQ(cache_.health().detail, "down");
  cache_.recover();
  EXPECT_EQ(read("k"), "v");
  EXPECT_TRUE(cache_.health().ok);
}

TEST_F(MemoryCacheTest, EvictsLeasesToo) {
  put("k", "v", 1);
  cache_.evict(key("k"));
  EXPECT_EQ(read("k"), "(lease)");
  EXPECT_EQ(read("k"), "(miss)");
  cache_.evict(key("k"));
  EXPECT_EQ(read("k"), "(lease)");
}

// An old entry that came back is there, blocks nothing and is not served.
TEST_F(MemoryCacheTest, AFailOverLosesTheLastChangesAndWhatIsLeftIsOfAnOlderEpoch) {
  put("k", "old", 1);
  put("k", "new", 2);
  put("other", "x", 1);
  ASSERT_EQ(cache_.size(), 2U);
  cache_.fail_over(2);
  EXPECT_EQ(cache_.size(), 1U) << "'other' was lost, and k's newer entry";
  EXPECT_EQ(read("k"), "(lease)");
  put("k", "old", 1);
  EXPECT_EQ(read("k"), "old");
}

TEST_F(MemoryCacheTest, ALeaseFromBeforeAFailOverFillsNothing) {
  const Key name = key("k");
  const Lease slow = run_task(cache_.get(name, soon()))->lease.value();
  put("k", "new", 2);
  cache_.fail_over(1);  // the put is lost, and the lease that it destroyed is back
  const std::optional<Record> old = record_of("old", 1);
  EXPECT_FALSE(run_task(cache_.fill(name, old, slow, soon())).value());
  EXPECT_EQ(read("k"), "(lease)");
}

TEST_F(MemoryCacheTest, RemembersABoundedNumberOfChanges) {
  for (std::uint64_t i = 1; i <= MemoryCache::undo_max + 10; ++i) put("k", std::to_string(i), i);
  cache_.fail_over(2 * MemoryCache::undo_max);
  EXPECT_EQ(cache_.size(), 1U) << "further back than it can go";
}

}  // namespace
}  // namespace armazem::test
