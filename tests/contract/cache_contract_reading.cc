// Misses, leases and fills.
#include "contract/cache_contract.h"

namespace armazem::test {
namespace {

TEST_P(CacheContract, AMissGrantsOneLease) {
  const CacheLookup first = look_up("k");
  EXPECT_FALSE(first.record.has_value());
  EXPECT_TRUE(first.lease.has_value());
  const CacheLookup second = look_up("k");
  EXPECT_FALSE(second.record.has_value());
  EXPECT_FALSE(second.lease.has_value()) << "somebody is loading it already";
  EXPECT_TRUE(look_up("other").lease.has_value());
}

TEST_P(CacheContract, AFilledRecordIsAHitWithoutItsHistory) {
  Record stored = record_of("value", 7);
  stored.value.content_type = "application/json";
  stored.value.form = ValueForm::json;
  stored.history.push({stored.version, Effect::created});
  ASSERT_TRUE(fill("k", stored, lease_of("k")));
  const CacheLookup found = look_up("k");
  ASSERT_TRUE(found.record.has_value());
  EXPECT_FALSE(found.lease.has_value());
  EXPECT_EQ(found.record->value, stored.value);
  EXPECT_EQ(found.record->version, stored.version);
  EXPECT_FALSE(found.record->tombstone);
  EXPECT_FALSE(found.record->expires_at_ms.has_value());
  EXPECT_TRUE(found.record->history.empty());
}

TEST_P(CacheContract, AFillNeedsItsOwnLease) {
  EXPECT_FALSE(fill("k", record_of("never asked", 1), Lease{42}));
  const Lease lease = lease_of("k");
  EXPECT_FALSE(fill("k", record_of("another's", 1), Lease{lease.token + 1}));
  EXPECT_FALSE(fill("other", record_of("another key", 1), lease));
  EXPECT_EQ(read("k"), "(miss)");
  EXPECT_TRUE(fill("k", record_of("right", 1), lease));
  EXPECT_FALSE(fill("k", record_of("twice", 2), lease)) << "a lease fills once";
  EXPECT_EQ(read("k"), "right");
}

TEST_P(CacheContract, ALeaseRunsOutAndAnotherMayLoad) {
  make({.lease_ttl = std::chrono::milliseconds(30)});
  const Lease first = lease_of("k");
  std::optional<Lease> second;
  ASSERT_TRUE(in_time([&] {
    second = look_up("k").lease;
    return second.has_value();
  }));
  EXPECT_NE(second->token, first.token);
  EXPECT_FALSE(fill("k", record_of("of the first", 1), first));
}

TEST_P(CacheContract, ThatThereIsNoRecordIsKeptToo) {
  ASSERT_TRUE(fill("k", std::nullopt, lease_of("k")));
  const CacheLookup found = look_up("k");
  ASSERT_TRUE(found.record.has_value());
  EXPECT_TRUE(found.record->tombstone);
  EXPECT_TRUE(found.record->version.is_nil());
  write("k", record_of("first", 1));
  EXPECT_EQ(read("k"), "first") << "every version is newer than none";
}

TEST_P(CacheContract, ATombstoneKeepsItsVersion) {
  ASSERT_TRUE(fill("k", tombstone_of(5), lease_of("k")));
  const CacheLookup found = look_up("k");
  ASSERT_TRUE(found.record.has_value());
  EXPECT_TRUE(found.record->tombstone);
  EXPECT_EQ(found.record->version, version(5, 5));
  write("k", record_of("older", 4));
  EXPECT_EQ(read("k"), "(absent)");
}

TEST_P(CacheContract, ASlowFillBehindANewerPutIsRefused) {
  const Lease slow = lease_of("k");
  write("k", record_of("new", 2));
  EXPECT_FALSE(fill("k", record_of("old", 1), slow));
  EXPECT_EQ(read("k"), "new");
}

// No version is left to compare with: only the lease tells.
TEST_P(CacheContract, ASlowFillBehindANewerPutThatWasEvictedIsRefused) {
  const Lease slow = lease_of("k");
  write("k", record_of("new", 2));
  evict("k");
  EXPECT_FALSE(fill("k", record_of("old", 1), slow));
  const Lease next = lease_of("k");
  EXPECT_FALSE(fill("k", record_of("old", 1), slow)) << "not with the lease of the next reader either";
  EXPECT_TRUE(fill("k", record_of("new", 2), next));
}

TEST_P(CacheContract, KeysAreBytes) {
  const std::vector<std::string> names = {"with space",  "cr\r\nlf",        "{tag}one",   "{tag}two",
                                          "a{}b",        "}{",              "{{nested}}", "ключ-鍵-🔑",
                                          "\x01\x7f",    "*3\r\n$3\r\nDEL", "%25%0d",     std::string(1024, 'k'),
                                          std::string(1024, '{')};
  for (std::size_t i = 0; i < names.size(); ++i) write(names[i], record_of("value " + std::to_string(i), 1));
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(read(names[i]), "value " + std::to_string(i)) << names[i];
}

TEST_P(CacheContract, ValuesAreBytesOfAnySize) {
  std::string every_byte;
  for (int round = 0; round < 4; ++round) {
    for (int byte = 0; byte < 256; ++byte) every_byte.push_back(static_cast<char>(byte));
  }
  std::string large;
  while (large.size() < (std::size_t{1} << 20)) large += every_byte;
  const std::vector<std::string> values = {"", std::string(1, '\0'), "\r\n$5\r\n", every_byte, large};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name = "k" + std::to_string(i);
    Record record = record_of(values[i], 1);
    record.value.form = ValueForm::bytes;
    record.value.content_type = i == 0 ? "" : std::string(255, 't');
    ASSERT_TRUE(fill(name, record, lease_of(name)));
    const CacheLookup found = look_up(name);
    ASSERT_TRUE(found.record.has_value());
    EXPECT_TRUE(found.record->value == record.value) << "a value of " << values[i].size() << " bytes";
  }
}

}  // namespace
}  // namespace armazem::test
