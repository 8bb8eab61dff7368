// The change logs that need no server: memory, and RocksDB in a temporary directory.
#include "contract/change_log_contract.h"

#include "adapters/memory/memory_store.h"
#include "adapters/rocksdb/rocksdb_store.h"
#include "support/temp_dir.h"

namespace armazem::test {
namespace {

class MemoryUnderTest final : public ChangeLogUnderTest {
 public:
  MemoryUnderTest(const TimeSource& time, Bound bound)
      : store_(time, bound == Bound::small ? 50 : limits::changes_kept) {}
  Store& store() override { return store_; }
  ChangeLog& log() override { return store_; }
  bool reopen() override { return false; }

 private:
  MemoryStore store_;
};

class RocksdbUnderTest final : public ChangeLogUnderTest {
 public:
  RocksdbUnderTest(const TimeSource& time, Bound bound) : time_(time) {
    options_.path = dir_.sub("data");
    options_.reserve_bytes = 0;
    if (bound == Bound::small) {
      options_.change_log_bytes_max = std::uint64_t{512} << 10;
      options_.write_buffer_bytes = std::size_t{256} << 10;
    }
    reopen();
  }
  Store& store() override { return *store_; }
  ChangeLog& log() override { return *store_; }
  bool reopen() override {
    store_ = nullptr;
    store_ = RocksdbStore::open(options_, time_).value();
    return true;
  }

 private:
  const TimeSource& time_;
  TempDir dir_;
  RocksdbOptions options_;
  std::unique_ptr<RocksdbStore> store_;
};

template <class UnderTest>
std::unique_ptr<ChangeLogUnderTest> make(const TimeSource& time, Bound bound) {
  return std::make_unique<UnderTest>(time, bound);
}

INSTANTIATE_TEST_SUITE_P(Stores, ChangeLogContract,
                         testing::Values(ChangeLogKind{"memory", make<MemoryUnderTest>},
                                         ChangeLogKind{"rocksdb", make<RocksdbUnderTest>}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
