// The contract of ports/cache.h as tests, the same for every adapter.
//
// A program that tries a cache links the cache_contract_*.cc files and instantiates the suite with ways to make one.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/loop_group.h"
#include "ports/cache.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {

struct CacheSetup {
  std::chrono::milliseconds ttl{60'000};
  std::chrono::milliseconds lease_ttl{2'000};
  std::size_t entry_bytes_max = std::size_t{1} << 20;
};

// An empty cache and whatever it needs to exist.
class CacheUnderTest {
 public:
  virtual ~CacheUnderTest() = default;
  virtual Cache& cache() = 0;
  [[nodiscard]] virtual const TimeSource& time() const = 0;
  // Lets at least a little time pass, for the cache and for `time`.
  virtual void pass_a_little() = 0;
};

// The cache, or why there is none here.
using MadeCache = std::variant<std::unique_ptr<CacheUnderTest>, std::string>;

struct CacheKind {
  std::string name;
  std::function<MadeCache(const CacheSetup&, net::LoopGroup&)> make;
};
inline void PrintTo(const CacheKind& kind, std::ostream* out) { *out << kind.name; }

inline Record record_of(std::string bytes, std::uint64_t ms, std::uint64_t op = 0) {
  Record record;
  record.value = {std::move(bytes), "text/plain; charset=utf-8", ValueForm::text};
  record.version = version(ms, op == 0 ? ms : op);
  return record;
}

inline Record tombstone_of(std::uint64_t ms) {
  Record record;
  record.tombstone = true;
  record.version = version(ms, ms);
  return record;
}

class CacheContract : public testing::TestWithParam<CacheKind> {
 protected:
  using Mode = CacheWrite::Mode;

  void SetUp() override { make({}); }

  // Instead of the one there is.
  void make(const CacheSetup& setup) {
    under_test_.reset();
    MadeCache made = GetParam().make(setup, loops_);
    if (const auto* why = std::get_if<std::string>(&made)) GTEST_SKIP() << *why;
    under_test_ = std::move(std::get<std::unique_ptr<CacheUnderTest>>(made));
  }

  Cache& cache() { return under_test_->cache(); }

  CacheLookup look_up(const std::string& name) {
    const Key wanted = key(name);
    return executor_.run(cache().get(wanted, soon())).value();
  }
  // What a reader would answer: the bytes, "(absent)" for a negative entry, "(miss)".
  std::string read(const std::string& name) {
    const CacheLookup found = look_up(name);
    if (!found.record) return "(miss)";
    return found.record->tombstone ? "(absent)" : found.record->value.bytes;
  }
  Lease lease_of(const std::string& name) {
    const CacheLookup found = look_up(name);
    EXPECT_FALSE(found.record.has_value());
    EXPECT_TRUE(found.lease.has_value());
    return found.lease.value_or(Lease{});
  }
  bool fill(const std::string& name, std::optional<Record> record, Lease lease) {
    const Key wanted = key(name);
    return executor_.run(cache().fill(wanted, record, lease, soon())).value();
  }
  void write(const std::string& name, Record record, Mode mode = Mode::put, MonotonicTime since = MonotonicTime::max()) {
    const std::vector<CacheWrite> writes = {{key(name), std::move(record), mode, since}};
    const Result<void> written = executor_.run(cache().write(writes, soon()));
    ASSERT_TRUE(written.has_value()) << written.error().message;
  }
  // What a full cache does by itself.
  void evict(const std::string& name) { write(name, record_of("", 900'000'000), Mode::remove_older); }

  // Lets time pass until it is so, or for longer than anything in these tests should take.
  template <class Condition>
  [[nodiscard]] bool in_time(Condition condition) {
    const std::uint64_t give_up = under_test_->time().wall_ms() + 20'000;
    while (!condition()) {
      if (under_test_->time().wall_ms() > give_up) return false;
      under_test_->pass_a_little();
    }
    return true;
  }

  net::LoopGroup loops_{"cache", 2};
  TestExecutor executor_;
  std::unique_ptr<CacheUnderTest> under_test_;
};

}  // namespace armazem::test
