#include "service/operations.h"

#include "service/cluster_fixture.h"

namespace armazem::test {
namespace {

using Status = OperationState::Status;

constexpr std::uint64_t hour_ms = 3'600'000;
constexpr std::uint64_t now_ms = 100 * hour_ms;  // since the epoch of the tests

class OperationsTest : public ClusterTest {
 protected:
  OperationsTest() { time_.set_wall_ms(epoch_ms + now_ms); }
  OperationState look_up(const std::string& name, Version operation) {
    const Key wanted = key(name);
    return executor_.run(operations_.look_up(wanted, operation, in_time())).value();
  }
  Status status(const std::string& name, std::uint64_t ms, std::uint64_t op = 0) {
    return look_up(name, version(ms, op == 0 ? ms : op)).status;
  }

  Operations operations_{store_, time_, {std::chrono::hours(24), milliseconds(60'000)}};
};

TEST_F(OperationsTest, AnAppliedWriteIsFoundWithItsEffect) {
  given({put("k", "1", now_ms - 3), put("k", "2", now_ms - 2), remove("k", now_ms - 1)});
  const OperationState created = look_up("k", version(now_ms - 3, now_ms - 3));
  EXPECT_EQ(created.status, Status::applied);
  EXPECT_EQ(created.effect, Effect::created);
  EXPECT_EQ(created.version, version(now_ms - 3, now_ms - 3));
  EXPECT_EQ(look_up("k", version(now_ms - 2, now_ms - 2)).effect, Effect::replaced);
  EXPECT_EQ(look_up("k", version(now_ms - 1, now_ms - 1)).effect, Effect::deleted) << "from the tombstone";
}

TEST_F(OperationsTest, AWriteThatWasStampedAgainIsFoundByItsOpId) {
  given({put("k", "v", now_ms + 5, 77)});
  const OperationState state = look_up("k", version(now_ms, 77));
  EXPECT_EQ(state.status, Status::applied);
  EXPECT_EQ(state.version, version(now_ms + 5, 77)) << "under which it stands";
}

TEST_F(OperationsTest, AWriteThatWasOvertakenIsSuperseded) {
  given({put("k", "v", now_ms)});
  EXPECT_EQ(status("k", now_ms - 1), Status::superseded);
  given({remove("gone", now_ms)});
  EXPECT_EQ(status("gone", now_ms - 1), Status::superseded) << "by a delete too";
}

TEST_F(OperationsTest, AWriteWithoutATraceIsPendingForAsLongAsItMayTake) {
  EXPECT_EQ(status("never", now_ms), Status::pending);
  EXPECT_EQ(status("never", now_ms - 60'000), Status::pending);
  EXPECT_EQ(status("never", now_ms - 60'001), Status::unknown);
  EXPECT_EQ(status("never", now_ms + 400), Status::pending) << "stamped by a server whose clock is ahead";
}

TEST_F(OperationsTest, AWriteNewerThanTheRecordIsPendingForAsLong) {
  given({put("k", "v", now_ms - 100'000)});
  EXPECT_EQ(status("k", now_ms - 1), Status::pending);
  EXPECT_EQ(status("k", now_ms - 60'001), Status::unknown);
}

TEST_F(OperationsTest, AHistoryThatHasDroppedProvesOnlyWhatIsNewerThanItsOldest) {
  const std::uint64_t apart_ms = limits::history_window.count() + 1;
  const std::uint64_t first = now_ms - 20 * apart_ms;
  for (std::uint64_t i = 0; i <= limits::history_entries_min; ++i) given({put("k", "v", first + apart_ms * i)});
  EXPECT_EQ(status("k", first), Status::unknown) << "it has fallen out of the history";
  EXPECT_EQ(status("k", first + apart_ms - 1), Status::unknown);
  EXPECT_EQ(status("k", first + apart_ms + 1), Status::superseded);
  EXPECT_EQ(status("k", first + apart_ms), Status::applied);
}

TEST_F(OperationsTest, ALongHistoryThatHasDroppedNothingProvesAll) {
  const std::uint64_t first = now_ms - 100;
  for (std::uint64_t i = 0; i < 50; ++i) given({put("k", "v", first + i)});
  EXPECT_EQ(status("k", first), Status::applied);
  EXPECT_EQ(status("k", first - 1), Status::superseded);
}

TEST_F(OperationsTest, OlderThanTheRetentionNothingIsProved) {
  given({put("k", "v", now_ms)});
  EXPECT_EQ(status("k", now_ms - 24 * hour_ms), Status::superseded);
  EXPECT_EQ(status("k", now_ms - 24 * hour_ms - 1), Status::unknown) << "a record that knew it may have been purged";
}

TEST_F(OperationsTest, ErrorsOfTheStorePass) {
  faulty_.fail_next(1, {ErrorCode::unavailable, "away"});
  const Key wanted = key("k");
  const auto answer = executor_.run(operations_.look_up(wanted, version(1, 1), in_time()));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST_F(OperationsTest, EveryStateHasAName) {
  EXPECT_EQ(to_string(Status::applied), "applied");
  EXPECT_EQ(to_string(Status::superseded), "superseded");
  EXPECT_EQ(to_string(Status::pending), "pending");
  EXPECT_EQ(to_string(Status::unknown), "unknown");
}

}  // namespace
}  // namespace armazem::test
