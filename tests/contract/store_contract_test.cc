// The stores that need no server: memory, and RocksDB in a temporary directory.
#include "contract/store_contract.h"

#include "adapters/memory/memory_store.h"
#include "adapters/rocksdb/rocksdb_store.h"
#include "support/temp_dir.h"

namespace armazem::test {
namespace {

class MemoryUnderTest final : public StoreUnderTest {
 public:
  explicit MemoryUnderTest(const TimeSource& time) : store_(time) {}
  Store& store() override { return store_; }

 private:
  MemoryStore store_;
};

class RocksdbUnderTest final : public StoreUnderTest {
 public:
  explicit RocksdbUnderTest(const TimeSource& time) {
    RocksdbOptions options;
    options.path = dir_.sub("data");
    options.reserve_bytes = 0;
    store_ = RocksdbStore::open(options, time).value();
  }
  Store& store() override { return *store_; }

 private:
  TempDir dir_;
  std::unique_ptr<RocksdbStore> store_;
};

template <class UnderTest>
std::unique_ptr<StoreUnderTest> make(const TimeSource& time) {
  return std::make_unique<UnderTest>(time);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(StoreKind{"memory", make<MemoryUnderTest>},
                                         StoreKind{"rocksdb", make<RocksdbUnderTest>}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
