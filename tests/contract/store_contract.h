// The contract of ports/store.h as tests, the same for every adapter.
//
// A program that tries a store links the store_contract_*.cc files and instantiates the suite with ways to make one:
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreKind{"memory", make_memory}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/store.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {

// An empty store and whatever it needs to exist.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>(const TimeSource&)> make;  // null: skip, what it needs is not here
};
inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    under_test_ = GetParam().make(time_);
    if (!under_test_) GTEST_SKIP() << "no " << GetParam().name << " to test against; tests/README.md says how to give one";
  }

  Store& store() { return under_test_->store(); }

  Result<std::vector<Outcome>> try_apply(std::vector<Mutation> batch, ApplyGuard guard = {}) {
    return executor_.run(store().apply(std::move(batch), guard, soon()));
  }
  std::vector<Outcome> apply(std::vector<Mutation> batch, ApplyGuard guard = {}) {
    return try_apply(std::move(batch), guard).value();
  }
  Outcome apply_one(Mutation mutation, ApplyGuard guard = {}) { return apply({std::move(mutation)}, guard).front(); }

  std::optional<Record> get(const std::string& name) {
    const Key wanted = key(name);
    return executor_.run(store().get(wanted, soon())).value();
  }
  std::string bytes(const std::string& name) {
    const auto record = get(name);
    return record && !record->tombstone ? record->value.bytes : "(none)";
  }

  ScanPage scan(ScanRequest request) { return executor_.run(store().scan(std::move(request), soon())).value(); }
  PurgeReport purge(std::uint64_t before, std::size_t limit = 1000) {
    return executor_.run(store().purge({epoch_ms + before, limit}, soon())).value();
  }

  static std::vector<std::string> names(const ScanPage& page) {
    std::vector<std::string> names;
    for (const ScanEntry& entry : page.entries) names.push_back(entry.key.text());
    return names;
  }

  // Follows the pages to the end.
  std::vector<std::string> all_names(ScanRequest request) {
    std::vector<std::string> all;
    while (true) {
      const ScanPage page = scan(request);
      EXPECT_LE(page.entries.size(), request.limit);
      for (std::string& name : names(page)) all.push_back(std::move(name));
      if (!page.next_after) return all;
      EXPECT_TRUE(!request.after || *page.next_after > *request.after) << "the cursor stands still";
      request.after = page.next_after;
    }
  }

  TestTime time_;
  TestExecutor executor_;
  std::unique_ptr<StoreUnderTest> under_test_;
};

inline Outcome applied(Effect effect, Version at) { return {Verdict::applied, effect, at, at, false}; }

}  // namespace armazem::test
