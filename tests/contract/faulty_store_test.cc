// The wrapper that fails on command does what it was told, and nothing else.
#include "adapters/memory/faulty_store.h"

#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {
namespace {

class FaultyStoreTest : public testing::Test {
 protected:
  Result<std::vector<Outcome>> apply(Mutation mutation) {
    std::vector<Mutation> batch;
    batch.push_back(std::move(mutation));
    return executor_.run(store_.apply(std::move(batch), {}, soon()));
  }
  Result<std::optional<Record>> get(Store& store, const std::string& name) {
    const Key wanted = key(name);
    return executor_.run(store.get(wanted, soon()));
  }

  TestTime time_;
  TestExecutor executor_;
  MemoryStore inner_{time_};
  FaultyStore store_{inner_};
};

TEST_F(FaultyStoreTest, PassesEverythingOnByDefault) {
  EXPECT_TRUE(apply(put("k", "v", 1)).has_value());
  EXPECT_EQ(get(store_, "k").value()->value.bytes, "v");
  EXPECT_EQ(executor_.run(store_.scan({}, soon())).value().entries.size(), 1U);
  EXPECT_EQ(executor_.run(store_.purge({}, soon())).value().removed, 0U);
  EXPECT_TRUE(executor_.run(store_.health(soon())).ok);
  EXPECT_EQ(store_.calls(), 5U);
}

TEST_F(FaultyStoreTest, FailsTheNextCallsWithoutAskingTheStore) {
  store_.fail_next(2, {ErrorCode::unavailable, "down"});
  EXPECT_EQ(apply(put("k", "v", 1)).error().code, ErrorCode::unavailable);
  EXPECT_EQ(get(store_, "k").error().message, "down");
  EXPECT_EQ(get(store_, "k").value(), std::nullopt);
}

TEST_F(FaultyStoreTest, LosesAnAnswerButNotTheWrite) {
  store_.lose_answers(1);
  EXPECT_EQ(apply(put("k", "v", 1)).error().code, ErrorCode::outcome_unknown);
  EXPECT_EQ(get(inner_, "k").value()->value.bytes, "v");
  EXPECT_TRUE(apply(put("k", "v", 1)).value()[0].replayed);
}

Task<void> write(Store& store, Mutation mutation, bool& done) {
  std::vector<Mutation> batch;
  batch.push_back(std::move(mutation));
  done = (co_await store.apply(std::move(batch), {}, soon())).has_value();
}

TEST_F(FaultyStoreTest, HoldsCallsUntilTheyAreReleased) {
  store_.hold();
  TaskScope scope(executor_);
  bool done = false;
  scope.spawn(write(store_, put("k", "v", 1), done));
  EXPECT_EQ(store_.held(), 1U);
  EXPECT_EQ(get(inner_, "k").value(), std::nullopt);
  EXPECT_FALSE(done);
  store_.release();
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_TRUE(done);
  EXPECT_EQ(store_.held(), 0U);
}

}  // namespace
}  // namespace armazem::test
