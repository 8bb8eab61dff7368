// A full disk: writes are refused or of unknown outcome, never lost, reads go on, and room heals it without a restart.
#include <random>

#include "contract/rocksdb_fixture.h"
#include "support/tmpfs.h"

namespace armazem::test {
namespace {

constexpr std::size_t disk_bytes = std::size_t{96} << 20;

class DiskFull : public RocksdbTest {
 protected:
  void SetUp() override {
    if (!disk_.mounted()) GTEST_SKIP() << disk_.why_not();
  }

  // Writes keys until one is refused; what was acknowledged is remembered. False when none is.
  bool write_until_refused(RocksdbStore& store) {
    for (int i = 0; i < 10'000; ++i) {
      const std::string name = "key-" + std::to_string(++written_);
      const auto outcomes = apply(store, {put(name, incompressible() + name, written_)});
      if (outcomes) {
        acknowledged_.push_back(name);
      } else if (outcomes.error().code == ErrorCode::outcome_unknown) {
        ++unknown_;
      } else {
        return outcomes.error().code == ErrorCode::storage_full || outcomes.error().code == ErrorCode::unavailable;
      }
    }
    return false;
  }

  // Or a flush would make room.
  std::string incompressible() {
    std::string bytes(std::size_t{32} << 10, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  void expect_all_acknowledged(RocksdbStore& store) {
    for (const std::string& name : acknowledged_) {
      ASSERT_TRUE(bytes(store, name).ends_with(name)) << name << " is lost: " << bytes(store, name).substr(0, 200);
    }
  }

  Tmpfs disk_{disk_bytes};
  std::minstd_rand random_{1};
  std::uint64_t written_ = 0;
  std::uint64_t unknown_ = 0;
  std::vector<std::string> acknowledged_;
};

TEST_F(DiskFull, BelowTheReserveWritesAreRefusedAndReadsGoOn) {
  RocksdbOptions options = options_at(disk_.sub("data"));
  options.reserve_bytes = std::uint64_t{32} << 20;
  const auto store = open(options);
  ASSERT_TRUE(apply(*store, {put("k", "before", 1)}).has_value());

  disk_.fill_until(options.reserve_bytes / 2);
  ASSERT_TRUE(eventually([&] { return !apply(*store, {put("probe", "v", 2)}).has_value(); }));
  const auto refused = apply(*store, {put("k", "after", 3)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::storage_full);
  EXPECT_EQ(bytes(*store, "k"), "before");
  EXPECT_FALSE(health(*store).ok);
  EXPECT_EQ(store->figures().write_failures, 0U);

  disk_.make_room();
  EXPECT_TRUE(eventually([&] { return apply(*store, {put("k", "after", 4)}).has_value(); }));
  EXPECT_EQ(bytes(*store, "k"), "after");
  EXPECT_TRUE(health(*store).ok);
}

TEST_F(DiskFull, AWriteThatFailsMidwayIsUnknownAndRoomHealsIt) {
  RocksdbOptions options = options_at(disk_.sub("data"));
  options.write_buffer_bytes = std::size_t{4} << 20;  // what one round leaves behind is small beside the disk
  auto store = open(options);
  for (int time = 0; time < 3; ++time) {
    disk_.fill_until(std::size_t{512} << 10);
    ASSERT_TRUE(write_until_refused(*store));
    EXPECT_FALSE(health(*store).ok);
    expect_all_acknowledged(*store);

    disk_.make_room();
    // By health alone: nobody writes while readiness says no.
    ASSERT_TRUE(eventually([&] { return health(*store).ok; })) << health(*store).detail;
    const auto outcomes = apply(*store, {put("after", "v", ++written_)});
    ASSERT_TRUE(outcomes.has_value()) << outcomes.error().message;
    expect_all_acknowledged(*store);
  }
  EXPECT_EQ(store->figures().write_failures, unknown_);

  store.reset();
  store = open(options);
  expect_all_acknowledged(*store);
}

}  // namespace
}  // namespace armazem::test
