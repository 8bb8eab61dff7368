// The contract of ports/changes.h as tests, the same for every store that keeps a change log.
//
// A program that tries one links change_log_contract.cc and instantiates the suite with ways to make it:
//   INSTANTIATE_TEST_SUITE_P(Memory, ChangeLogContract, testing::Values(ChangeLogKind{"memory", make_memory}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/changes.h"
#include "ports/store.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {

// An empty store, and whatever it needs to exist.
class ChangeLogUnderTest {
 public:
  virtual ~ChangeLogUnderTest() = default;
  virtual Store& store() = 0;
  virtual ChangeLog& log() = 0;
  // Ends the store and starts it again on what it has kept. False: it keeps nothing.
  virtual bool reopen() = 0;
};

enum class Bound { usual, small };  // small: keeps at most some hundred kilobytes, or some dozens of changes

struct ChangeLogKind {
  std::string name;
  std::function<std::unique_ptr<ChangeLogUnderTest>(const TimeSource&, Bound)> make;  // null: skip, nothing to try it on
};
inline void PrintTo(const ChangeLogKind& kind, std::ostream* out) { *out << kind.name; }

class ChangeLogContract : public testing::TestWithParam<ChangeLogKind> {
 protected:
  void SetUp() override {
    make(Bound::usual);
    if (!under_test_) GTEST_SKIP() << "no " << GetParam().name << " to test against; tests/README.md says how to give one";
  }
  void make(Bound bound) { under_test_ = GetParam().make(time_, bound); }

  Store& store() { return under_test_->store(); }
  ChangeLog& log() { return under_test_->log(); }

  std::vector<Outcome> apply(std::vector<Mutation> batch) {
    return executor_.run(store().apply(std::move(batch), {}, soon())).value();
  }
  void apply_one(Mutation mutation) { apply({std::move(mutation)}); }

  Result<ChangePage> try_read(ChangesRequest request) { return executor_.run(log().read_changes(request, soon())); }
  ChangePage read(ChangesRequest request) { return try_read(request).value(); }
  ChangeLogState state() { return executor_.run(log().change_log_state(soon())).value(); }

  // All pages, from a position to the end; checks what every page promises.
  std::vector<Change> read_all(ChangesRequest request = {});

  TestTime time_;
  TestExecutor executor_;
  std::unique_ptr<ChangeLogUnderTest> under_test_;
};

}  // namespace armazem::test
