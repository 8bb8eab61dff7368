// A RocksdbStore in a test's hands: opened, written and read without ceremony.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/rocksdb/rocksdb_store.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/temp_dir.h"
#include "support/test_time.h"

namespace armazem::test {

class RocksdbTest : public testing::Test {
 protected:
  RocksdbOptions options_at(const std::string& path) {
    RocksdbOptions options;
    options.path = path;
    options.reserve_bytes = 0;
    return options;
  }
  std::unique_ptr<RocksdbStore> open(const RocksdbOptions& options) {
    auto store = RocksdbStore::open(options, time_);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  std::unique_ptr<RocksdbStore> open(const std::string& path) { return open(options_at(path)); }

  Result<std::vector<Outcome>> apply(Store& store, std::vector<Mutation> batch) {
    return executor_.run(store.apply(std::move(batch), {}, soon()));
  }
  Result<std::optional<Record>> get(Store& store, const std::string& name) {
    const Key wanted = key(name);
    return executor_.run(store.get(wanted, soon()));
  }
  std::string bytes(Store& store, const std::string& name) {
    const auto record = get(store, name);
    if (!record) return "(" + record.error().message + ")";
    return *record ? (*record)->value.bytes : "(none)";
  }
  StoreHealth health(Store& store) { return executor_.run(store.health(soon())); }

  // Tries again until it holds; false when it does not within the time.
  template <class Condition>
  bool eventually(Condition condition) {
    const MonotonicTime give_up = MonotonicClock::now() + std::chrono::seconds(30);
    while (MonotonicClock::now() < give_up) {
      if (condition()) return true;
      executor_.run(pause());
    }
    return false;
  }

  TempDir dir_;
  TestTime time_;
  TestExecutor executor_;

 private:
  // Between two looks; what is waited for is the condition.
  static Task<int> pause() {
    co_await sleep_until(MonotonicClock::now() + std::chrono::milliseconds(10));
    co_return 0;
  }
};

}  // namespace armazem::test
