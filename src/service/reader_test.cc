#include "service/reader.h"

#include "service/service_fixture.h"

namespace armazem::test {
namespace {

class ReaderTest : public ServiceTest {
 protected:
  ReaderTest() {
    given({put("live", "v", 1), put("deleted", "v", 1), remove("deleted", 2), expiring(put("short", "v", 1), 1000)});
  }
  Result<std::optional<Record>> read(Store& store, const std::string& name, Deadline deadline = soon()) {
    const Key wanted = key(name);
    Reader reader(store, nullptr, time_);
    Result<ReadAnswer> answer = executor_.run(reader.read(wanted, {}, deadline));
    if (!answer) return fail(answer.error());
    return std::move(answer->record);
  }
  bool found(Store& store, const std::string& name) { return read(store, name).value().has_value(); }
};

TEST_F(ReaderTest, ALiveRecordComesWhole) {
  const auto record = read(memory_, "live").value();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(*record, *stored("live"));
}

// `store_` answers by a coroutine, `memory_` at once: both roads through the reader.
TEST_F(ReaderTest, WhatNeverWasIsAbsentNotAnError) {
  EXPECT_FALSE(found(memory_, "never"));
  EXPECT_FALSE(found(store_, "never"));
}

TEST_F(ReaderTest, ATombstoneIsAbsent) {
  EXPECT_FALSE(found(memory_, "deleted"));
  EXPECT_FALSE(found(store_, "deleted"));
}

TEST_F(ReaderTest, ARecordLivesUntilItsExpiryAndNotAtIt) {
  for (Store* store : {static_cast<Store*>(&memory_), static_cast<Store*>(&store_)}) {
    time_.set_wall_ms(epoch_ms + 999);
    EXPECT_TRUE(found(*store, "short"));
    time_.set_wall_ms(epoch_ms + 1000);
    EXPECT_FALSE(found(*store, "short"));
  }
}

TEST_F(ReaderTest, AReadyStoreMakesAReadyAnswer) {
  Reader reader(memory_, nullptr, time_);
  for (const char* name : {"live", "deleted", "never"}) {
    const Key wanted = key(name);
    EXPECT_TRUE(reader.read(wanted, {}, soon()).ready()) << name;
  }
  const Key wanted = key("live");
  EXPECT_TRUE(reader.read(wanted, {}, passed()).ready()) << "an error too";
}

TEST_F(ReaderTest, AStoreThatMustWaitIsWaitedFor) {
  store_.hold();
  Reader reader(store_, nullptr, time_);
  const Key wanted = key("live");
  Task<Result<ReadAnswer>> pending = reader.read(wanted, {}, soon());
  EXPECT_FALSE(pending.ready());
  std::optional<Result<ReadAnswer>> answer;
  TaskScope scope(executor_);
  const auto root = [&]() -> Task<void> { answer.emplace(co_await std::move(pending)); };
  scope.spawn(root());
  EXPECT_EQ(store_.held(), 1U);
  EXPECT_FALSE(answer.has_value());
  store_.release();
  executor_.run_until([&] { return scope.running() == 0; });
  EXPECT_EQ(answer->value().record->value.bytes, "v");
}

TEST_F(ReaderTest, ErrorsOfTheStorePass) {
  store_.fail_next(1, {ErrorCode::data_damaged, "checksum"});
  const auto damaged = read(store_, "live");
  ASSERT_FALSE(damaged.has_value());
  EXPECT_EQ(damaged.error().code, ErrorCode::data_damaged);
  EXPECT_EQ(damaged.error().message, "checksum");
  EXPECT_EQ(read(memory_, "live", passed()).error().code, ErrorCode::deadline_exceeded);
}

}  // namespace
}  // namespace armazem::test
