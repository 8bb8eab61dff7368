// The contract of Store::purge: what goes, what stays, and that steps are small.
#include "contract/store_contract.h"

namespace armazem::test {
namespace {

TEST_P(StoreContract, PurgeRemovesTombstonesOlderThanTheGivenTime) {
  apply({put("live", "v", 1), remove("old", 10), remove("new", 20)});
  const PurgeReport report = purge(20);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_FALSE(report.more);
  EXPECT_EQ(get("old"), std::nullopt);
  EXPECT_TRUE(get("new").has_value());
  EXPECT_EQ(bytes("live"), "v");
  EXPECT_EQ(purge(20).removed, 0U);
  EXPECT_EQ(purge(21).removed, 1U);
}

TEST_P(StoreContract, PurgeRemovesRecordsThatHadExpired) {
  apply({expiring(put("a", "v", 1), 100), expiring(put("b", "v", 2), 200)});
  EXPECT_EQ(purge(100).removed, 0U);
  EXPECT_EQ(purge(101).removed, 1U);
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(bytes("b"), "v");
}

TEST_P(StoreContract, PurgeLeavesWhatWasWrittenAgain) {
  apply({expiring(put("kept", "v", 1), 10), expiring(put("longer", "v", 1), 10), remove("back", 1),
         expiring(put("deleted", "v", 1), 10)});
  apply({put("kept", "v", 2), expiring(put("longer", "v", 2), 500), put("back", "v", 2), remove("deleted", 300)});
  EXPECT_EQ(purge(250).removed, 0U);
  EXPECT_EQ(bytes("kept"), "v");
  EXPECT_EQ(bytes("longer"), "v");
  EXPECT_EQ(bytes("back"), "v");
  EXPECT_TRUE(get("deleted")->tombstone);
  EXPECT_EQ(purge(1000).removed, 2U);
}

TEST_P(StoreContract, PurgeLeavesARecordWhoseVersionIsNotOldEnough) {
  // Written long after its own expiry: removing it would let a redelivery be applied a second time.
  apply_one(expiring(put("k", "v", 100), 1));
  EXPECT_EQ(purge(50).removed, 0U);
  EXPECT_TRUE(apply_one(put("k", "v", 100), {epoch_ms + 50}).replayed);
  EXPECT_EQ(purge(101).removed, 1U);
}

TEST_P(StoreContract, PurgeGoesInStepsOfTheGivenSize) {
  for (std::uint64_t i = 1; i <= 25; ++i) apply_one(remove("k" + std::to_string(i), i));
  std::size_t removed = 0;
  std::size_t steps = 0;
  for (bool more = true; more; ++steps) {
    const PurgeReport report = purge(100, 10);
    EXPECT_LE(report.removed, 10U);
    removed += report.removed;
    more = report.more;
    ASSERT_LT(steps, 10U);
  }
  EXPECT_EQ(removed, 25U);
  EXPECT_GE(steps, 3U);
}

TEST_P(StoreContract, PurgeFindsWhatCameInBehindAnEarlierStep) {
  for (std::uint64_t i = 20; i <= 29; ++i) apply_one(remove("k" + std::to_string(i), i));
  EXPECT_TRUE(purge(100, 5).more);
  apply_one(remove("earlier", 10));
  std::size_t removed = 5;
  for (int step = 0; step < 10 && removed < 11; ++step) removed += purge(100, 5).removed;
  EXPECT_EQ(removed, 11U);
  EXPECT_EQ(get("earlier"), std::nullopt);
}

TEST_P(StoreContract, AfterPurgeTheHorizonGuardsAgainstLateCopies) {
  apply_one(put("k", "v", 1));
  apply_one(remove("k", 2));
  EXPECT_EQ(purge(10).removed, 1U);
  EXPECT_EQ(apply_one(put("k", "v", 1), {epoch_ms + 10}).verdict, Verdict::too_old);
  EXPECT_EQ(apply_one(put("k", "new", 11), {epoch_ms + 10}), applied(Effect::created, version(11, 11)));
  EXPECT_EQ(get("k")->history.entries().size(), 1U);
}

}  // namespace
}  // namespace armazem::test
