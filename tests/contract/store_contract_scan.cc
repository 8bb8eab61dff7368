// The contract of Store::scan: order, pages, prefixes, and what is left out.
#include <algorithm>

#include "contract/store_contract.h"

namespace armazem::test {
namespace {

using Names = std::vector<std::string>;

ScanRequest below(std::string prefix) {
  ScanRequest request;
  request.prefix = std::move(prefix);
  return request;
}

TEST_P(StoreContract, ScanOfNothing) {
  const ScanPage page = scan({});
  EXPECT_TRUE(page.entries.empty());
  EXPECT_EQ(page.next_after, std::nullopt);
}

TEST_P(StoreContract, ScanIsInByteOrderWithWholeRecords) {
  apply({put("b", "2", 1), put("é", "4", 2), put("a", "1", 3), put("a/b", "1.5", 4), put("☕", "5", 5),
         put("z", "3", 6)});
  const ScanPage page = scan({});
  EXPECT_EQ(names(page), (Names{"a", "a/b", "b", "z", "é", "☕"}));
  EXPECT_EQ(page.next_after, std::nullopt);
  for (const ScanEntry& entry : page.entries) EXPECT_EQ(entry.record, get(entry.key.text()));
}

TEST_P(StoreContract, ScanGoesOnBehindTheCursor) {
  for (std::uint64_t i = 10; i < 35; ++i) apply_one(put("k" + std::to_string(i), "v", i));
  for (const std::size_t limit : {1U, 2U, 7U, 25U, 1000U}) {
    ScanRequest request;
    request.limit = limit;
    const Names all = all_names(request);
    ASSERT_EQ(all.size(), 25U) << "limit " << limit;
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  }
  ScanRequest behind;
  behind.after = "k20";
  EXPECT_EQ(names(scan(behind)).front(), "k21");
  behind.after = "k20\x01";  // a cursor need not be a key
  EXPECT_EQ(names(scan(behind)).front(), "k21");
  behind.after = "zzz";
  EXPECT_TRUE(scan(behind).entries.empty());
}

TEST_P(StoreContract, ScanLimitIsBounded) {
  for (const std::size_t limit : {std::size_t{0}, limits::scan_entries_max + 1}) {
    ScanRequest request;
    request.limit = limit;
    const auto refused = executor_.run(store().scan(request, soon()));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  }
}

TEST_P(StoreContract, ScanOfAPrefixHoldsItsOwnOnly) {
  apply({put("a", "v", 1), put("ab", "v", 2), put("abc", "v", 3), put("ac", "v", 4), put("b", "v", 5)});
  EXPECT_EQ(all_names(below("ab")), (Names{"ab", "abc"}));
  EXPECT_EQ(all_names(below("a")), (Names{"a", "ab", "abc", "ac"}));
  EXPECT_EQ(all_names(below("abcd")), Names{});
  EXPECT_EQ(all_names(below("c")), Names{});

  ScanRequest request = below("ab");
  request.after = "aa";  // before the prefix
  EXPECT_EQ(all_names(request), (Names{"ab", "abc"}));
  request.after = "ab";
  EXPECT_EQ(all_names(request), (Names{"abc"}));
  request.after = "b";  // behind it
  EXPECT_EQ(all_names(request), Names{});
}

TEST_P(StoreContract, ScanOfPrefixesWhoseUpperBoundIsNotJustTheNextByte) {
  const std::string last = "\xF4\x8F\xBF\xBF";  // U+10FFFF, the greatest character
  apply({put("z", "v", 1), put("é", "v", 2), put("ê", "v", 3), put(last, "v", 4), put(last + last, "v", 5)});
  EXPECT_EQ(all_names(below(last)), (Names{last, last + last}));
  EXPECT_EQ(all_names(below(last + "a")), Names{});
  EXPECT_EQ(all_names(below("\xC3")), (Names{"é", "ê"}));  // half a character
  EXPECT_EQ(all_names(below("\xFF")), Names{});
  EXPECT_EQ(all_names(below("\xFF\xFF")), Names{});
  EXPECT_EQ(all_names(below("z\xFF")), Names{});
  EXPECT_EQ(all_names(below(std::string("\0", 1))), Names{});
}

TEST_P(StoreContract, ScanLeavesOutDeletedAndExpired) {
  apply({put("a", "v", 1), put("b", "v", 2), expiring(put("c", "v", 3), 100), expiring(put("d", "v", 4), 200)});
  apply_one(remove("b", 5));
  ScanRequest request;
  request.now_ms = epoch_ms + 99;
  EXPECT_EQ(names(scan(request)), (Names{"a", "c", "d"}));
  request.now_ms = epoch_ms + 100;
  EXPECT_EQ(names(scan(request)), (Names{"a", "d"}));
}

TEST_P(StoreContract, ScanFindsWhatFollowsManyTombstones) {
  constexpr std::uint64_t total = 12'000;
  for (std::uint64_t done = 0; done < total;) {
    std::vector<Mutation> batch;
    for (std::size_t i = 0; i < limits::batch_mutations_max && done < total; ++i, ++done) {
      batch.push_back(remove("t" + std::to_string(done), 1));
    }
    apply(std::move(batch));
  }
  apply_one(put("u", "behind", 2));
  EXPECT_EQ(all_names({}), (Names{"u"}));
}

TEST_P(StoreContract, ScanOfKeysOnlyLeavesTheValuesOut) {
  apply({put("a", "value", 1), put("b", "", 2), put("c", std::string(100'000, 'x'), 3)});
  ScanRequest request;
  request.keys_only = true;
  const ScanPage page = scan(request);
  ASSERT_EQ(names(page), (Names{"a", "b", "c"}));
  EXPECT_EQ(page.entries[0].record.value.bytes, "");
  EXPECT_EQ(page.entries[0].record.version, version(1, 1));
  EXPECT_EQ(page.entries[0].record.value.content_type, "text/plain; charset=utf-8");
}

TEST_P(StoreContract, ScanTellsTheSizeOfEachValue) {
  apply({put("a", "value", 1), put("b", "", 2), put("c", std::string(100'000, 'x'), 3)});
  for (const bool keys_only : {false, true}) {
    ScanRequest request;
    request.keys_only = keys_only;
    std::vector<std::size_t> sizes;
    for (const ScanEntry& entry : scan(request).entries) sizes.push_back(entry.value_bytes);
    EXPECT_EQ(sizes, (std::vector<std::size_t>{5, 0, 100'000})) << "keys_only: " << keys_only;
  }
}

TEST_P(StoreContract, ScanPageEndsAfterTheEntryThatReachesItsBytes) {
  const std::string value(1000, 'x');
  for (std::uint64_t i = 1; i <= 9; ++i) apply_one(put("k" + std::to_string(i), value, i));
  ScanRequest request;
  request.bytes_max = 2500;
  const ScanPage page = scan(request);
  EXPECT_EQ(names(page), (Names{"k1", "k2", "k3"}));
  EXPECT_EQ(page.next_after, "k3");
  request.bytes_max = 1;  // one entry always fits, or no page would ever end
  EXPECT_EQ(names(scan(request)), (Names{"k1"}));
  EXPECT_EQ(all_names(request).size(), 9U);
}

}  // namespace
}  // namespace armazem::test
