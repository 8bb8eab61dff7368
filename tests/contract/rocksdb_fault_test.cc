// Writes that fail inside RocksDB: what the caller is told, that reads go on, and that the store comes back by itself.
#include <atomic>
#include <thread>

#include "contract/rocksdb_fixture.h"
#include "support/unreliable_file_system.h"

namespace armazem::test {
namespace {

class RocksdbFault : public RocksdbTest {
 protected:
  void SetUp() override {
    file_system_ = std::make_shared<UnreliableFileSystem>(data());
    RocksdbOptions options = options_at(data());
    options.test_file_system = file_system_;
    store_ = open(options);
  }
  std::string data() const { return dir_.sub("data"); }

  ErrorCode error_of_put(const std::string& name, const std::string& bytes) {
    const auto outcomes = apply(*store_, {put(name, bytes, ++ms_)});
    return outcomes ? ErrorCode::internal : outcomes.error().code;
  }
  bool put_works(const std::string& name, const std::string& bytes) {
    return apply(*store_, {put(name, bytes, ++ms_)}).has_value();
  }

  // What a start would find after a loss of power now.
  std::unique_ptr<RocksdbStore> after_power_loss() {
    const std::string copy = dir_.sub("copy-" + std::to_string(++copies_));
    file_system_->copy_as_after_power_loss(copy, random_);
    return open(copy);
  }

  std::shared_ptr<UnreliableFileSystem> file_system_;
  std::unique_ptr<RocksdbStore> store_;
  std::uint64_t ms_ = 0;
  int copies_ = 0;
  std::mt19937_64 random_{1};
};

TEST_F(RocksdbFault, AnAppendThatFailsHalfwayIsUnknownAndTheNextWriteRecovers) {
  constexpr std::uint64_t times = 5;
  for (std::uint64_t time = 1; time <= times; ++time) {
    const std::string number = std::to_string(time);
    ASSERT_TRUE(put_works("k", "before " + number));
    file_system_->fail_appends(".log", 1);
    EXPECT_EQ(error_of_put("k", "failed " + number), ErrorCode::outcome_unknown);
    EXPECT_EQ(bytes(*store_, "k"), "before " + number);
    EXPECT_FALSE(store_->figures().healthy);
    const std::string found = bytes(*after_power_loss(), "k");
    EXPECT_TRUE(found == "before " + number || found == "failed " + number) << found;

    ASSERT_TRUE(eventually([&] { return put_works("k", "after " + number); }));
    EXPECT_TRUE(health(*store_).ok);
    EXPECT_EQ(bytes(*store_, "k"), "after " + number);
    EXPECT_EQ(bytes(*after_power_loss(), "k"), "after " + number);
  }
  EXPECT_EQ(store_->figures().write_failures, times);
  EXPECT_EQ(store_->figures().recoveries, times);
}

TEST_F(RocksdbFault, TheFirstWriteAfterARecoveryMayFailToo) {
  for (int time = 1; time <= 4; ++time) {
    file_system_->fail_appends(".log", 1);
    EXPECT_EQ(error_of_put("k", "failed"), ErrorCode::outcome_unknown);
    ASSERT_TRUE(eventually([&] { return health(*store_).ok; })) << health(*store_).detail;
  }
  ASSERT_TRUE(put_works("k", "after"));
  EXPECT_EQ(bytes(*after_power_loss(), "k"), "after");
}

TEST_F(RocksdbFault, HealthAloneBringsTheStoreBack) {
  ASSERT_TRUE(put_works("k", "kept"));
  file_system_->fail_appends(".log", 1);
  EXPECT_EQ(error_of_put("k", "failed"), ErrorCode::outcome_unknown);
  EXPECT_TRUE(eventually([&] { return health(*store_).ok; }));
  EXPECT_EQ(bytes(*store_, "k"), "kept");
}

class RocksdbFaultOfSize : public RocksdbFault, public testing::WithParamInterface<std::size_t> {};
// Within one buffer of RocksDB's log writer, and larger than it.
INSTANTIATE_TEST_SUITE_P(Bytes, RocksdbFaultOfSize, testing::Values(10, 5'000, 300'000, 3'000'000));

TEST_P(RocksdbFaultOfSize, ARecoveryThatFailsIsTriedAgain) {
  const std::string failed(GetParam(), 'f');
  ASSERT_TRUE(put_works("k", "kept"));
  file_system_->fail_appends(".log", 1);
  EXPECT_EQ(error_of_put("k", failed), ErrorCode::outcome_unknown);
  file_system_->fail_appends(".sst", 3);
  const ErrorCode refused = error_of_put("k", "refused");
  EXPECT_TRUE(refused == ErrorCode::storage_full || refused == ErrorCode::unavailable) << to_string(refused);
  EXPECT_EQ(bytes(*store_, "k"), "kept");
  EXPECT_FALSE(store_->figures().healthy);
  for (int i = 0; i < 10; ++i) {
    const std::string found = bytes(*after_power_loss(), "k");
    EXPECT_TRUE(found == "kept" || found == failed) << found;
  }
  ASSERT_TRUE(eventually([&] { return put_works("k", "after"); }));
  EXPECT_EQ(bytes(*store_, "k"), "after");
  EXPECT_EQ(bytes(*after_power_loss(), "k"), "after");
}

TEST_F(RocksdbFault, AFlushThatFailsRefusesWritesUntilItWorks) {
  RocksdbOptions options = options_at(dir_.sub("small"));
  options.write_buffer_bytes = std::size_t{128} << 10;
  options.test_file_system = file_system_;
  store_ = open(options);
  file_system_->fail_appends(".sst", 1);
  std::map<std::string, std::string> acknowledged;
  for (int i = 0; i < 500; ++i) {
    const std::string name = "key-" + std::to_string(i);
    const std::string value(1000, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(eventually([&] {
      const auto outcomes = apply(*store_, {put(name, value, ++ms_)});
      return outcomes.has_value();
    }));
    acknowledged[name] = value;
  }
  for (const auto& [name, value] : acknowledged) ASSERT_EQ(bytes(*store_, name), value);
}

TEST_F(RocksdbFault, ABrokenSyncIsUnknownAndTheLogIsNotTrustedAgain) {
  ASSERT_TRUE(put_works("k", "kept"));
  file_system_->fail_syncs(".log", 1);
  EXPECT_EQ(error_of_put("k", "failed"), ErrorCode::outcome_unknown);
  EXPECT_EQ(bytes(*store_, "k"), "kept");
  std::string found = bytes(*after_power_loss(), "k");
  EXPECT_TRUE(found == "kept" || found == "failed") << found;

  // Nothing more goes into that log: all that was in it is written to tables, and synced there.
  ASSERT_TRUE(put_works("other", "after"));
  const auto start = after_power_loss();
  found = bytes(*start, "k");
  EXPECT_TRUE(found == "kept" || found == "failed") << found;
  EXPECT_EQ(bytes(*start, "other"), "after");
}

TEST_F(RocksdbFault, ReadsGoOnWhileTheDatabaseCannotBeOpenedForWriting) {
  ASSERT_TRUE(put_works("k", "kept"));
  file_system_->fail_appends(".log", 1);
  EXPECT_EQ(error_of_put("k", "failed"), ErrorCode::outcome_unknown);
  file_system_->fail_appends(".sst", 1'000'000);
  EXPECT_EQ(error_of_put("k", "refused"), ErrorCode::storage_full);
  EXPECT_EQ(bytes(*store_, "k"), "kept");
  EXPECT_FALSE(health(*store_).ok);
  file_system_->fail_appends(".sst", 0);
  EXPECT_TRUE(eventually([&] { return health(*store_).ok; }));
  EXPECT_TRUE(put_works("k", "after"));
  EXPECT_EQ(bytes(*store_, "k"), "after");
}

// Readers on two threads, without pause, while the database is closed and opened under them again and again.
TEST_F(RocksdbFault, ReadersDoNotNoticeThatTheDatabaseIsOpenedAgain) {
  ASSERT_TRUE(put_works("k", "kept"));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  const auto read_on = [&] {
    TestExecutor executor;
    const Key name = key("k");
    while (!stop) {
      const auto record = executor.run(store_->get(name, soon()));
      wrong += record && *record && (*record)->value.bytes == "kept" ? 0 : 1;
    }
  };
  std::thread one(read_on);
  std::thread two(read_on);
  for (int time = 0; time < 10; ++time) {
    file_system_->fail_appends(".log", 1);
    EXPECT_EQ(error_of_put("other", "failed"), ErrorCode::outcome_unknown);
    EXPECT_TRUE(eventually([&] { return put_works("other", "after"); }));
  }
  stop = true;
  one.join();
  two.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(store_->figures().recoveries, 10U);
}

}  // namespace
}  // namespace armazem::test
