#include "service/purger.h"

#include "service/service_fixture.h"

namespace armazem::test {
namespace {

class PurgerTest : public ServiceTest {
 protected:
  PurgerTest() {
    given({remove("a", 1), remove("b", 2), remove("c", 3), remove("d", 4), remove("e", 5), put("live", "v", 6)});
    time_.set_wall_ms(epoch_ms + 1'000'000);
  }
  void run_once() {
    TaskScope scope(executor_);
    scope.spawn(purger_.run());
    executor_.run_until([&] { return scope.running() == 0; });
  }
  [[nodiscard]] bool due_now() const { return purger_.due(time_.now()); }
  [[nodiscard]] bool due_after_the_interval() const { return purger_.due(time_.now() + options_.interval); }

  PurgeOptions options_{std::chrono::seconds(10), std::chrono::hours(1), 2};
  Purger purger_{store_, time_, options_};
};

TEST_F(PurgerTest, IsFirstDueAfterAnInterval) {
  EXPECT_FALSE(due_now());
  EXPECT_TRUE(due_after_the_interval());
}

TEST_F(PurgerTest, GoesOnAtOnceWhileThereIsMore) {
  run_once();
  EXPECT_EQ(purger_.removed(), 2U);
  EXPECT_TRUE(due_now());
  run_once();
  EXPECT_EQ(purger_.removed(), 4U);
  EXPECT_TRUE(due_now());
  run_once();
  EXPECT_EQ(purger_.removed(), 5U);
  EXPECT_FALSE(due_now());
  EXPECT_TRUE(due_after_the_interval());
  EXPECT_EQ(stored_bytes("live"), "v");
  EXPECT_EQ(stored("e"), std::nullopt);
}

TEST_F(PurgerTest, LeavesWhatIsYoungerThanTheRetention) {
  time_.set_wall_ms(epoch_ms + 3 + 10'000);  // "c" is exactly as old as the retention
  run_once();
  run_once();
  EXPECT_EQ(purger_.removed(), 2U);
  EXPECT_EQ(stored("b"), std::nullopt);
  EXPECT_TRUE(stored("c").has_value());
}

TEST_F(PurgerTest, RemovesNothingWhileTheClockIsYoungerThanTheRetention) {
  time_.set_wall_ms(9'999);
  run_once();
  EXPECT_EQ(purger_.removed(), 0U);
}

TEST_F(PurgerTest, IsNotDueWhileItRuns) {
  store_.hold();
  TaskScope scope(executor_);
  scope.spawn(purger_.run());
  EXPECT_EQ(store_.held(), 1U);
  EXPECT_FALSE(due_after_the_interval());
  store_.release();
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_TRUE(due_now()) << "there is more";
}

TEST_F(PurgerTest, AnErrorWaitsForTheNextTurn) {
  store_.fail_next(1, {ErrorCode::unavailable, "down"});
  run_once();
  EXPECT_EQ(purger_.removed(), 0U);
  EXPECT_FALSE(due_now());
  EXPECT_TRUE(due_after_the_interval());
  run_once();
  EXPECT_EQ(purger_.removed(), 2U);
}

}  // namespace
}  // namespace armazem::test
