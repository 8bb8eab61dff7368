// The contract towards callers: deadlines, executors, many at once from several loops.
#include "contract/cache_contract.h"

namespace armazem::test {
namespace {

// On every clock.
constexpr Deadline long_ago = Deadline::at(MonotonicTime());

template <class T>
void expect_too_late(const Result<T>& result) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::deadline_exceeded);
}

TEST_P(CacheContract, NothingStartsBehindItsDeadline) {
  const Key wanted = key("k");
  const std::vector<CacheWrite> writes = {{wanted, record_of("v", 1), Mode::put}};
  const std::optional<Record> record = record_of("v", 1);
  expect_too_late(executor_.run(cache().write(writes, long_ago)));
  expect_too_late(executor_.run(cache().get(wanted, long_ago)));
  expect_too_late(executor_.run(cache().fill(wanted, record, Lease{1}, long_ago)));
  EXPECT_TRUE(look_up("k").lease.has_value());
}

TEST_P(CacheContract, AFreshCacheIsHealthy) {
  ASSERT_TRUE(in_time([&] { return cache().health().ok; })) << cache().health().detail;
  EXPECT_NE(cache().health().detail, "");
}

Task<int> count_calls_that_came_home(Cache& cache, Executor& home) {
  int came_home = 0;
  const Key wanted = key("k");
  const std::vector<CacheWrite> writes = {{wanted, record_of("v", 1), CacheWrite::Mode::put}};
  const std::optional<Record> record = record_of("v", 1);
  (void)co_await cache.write(writes, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await cache.get(wanted, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await cache.fill(wanted, record, Lease{1}, soon());
  came_home += home.running_here() ? 1 : 0;
  co_return came_home;
}

TEST_P(CacheContract, EveryCallResumesOnTheCallersExecutor) {
  EXPECT_EQ(executor_.run(count_calls_that_came_home(cache(), executor_)), 3);
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    int came_home = 0;
    const auto visit = [&]() -> Task<void> { came_home = co_await count_calls_that_came_home(cache(), loops_[i]); };
    net::run_to_end(loops_[i], visit());
    EXPECT_EQ(came_home, 3) << "loop " << i;
  }
}

// One client: puts ever newer versions of its own key and of one that all share, and reads what it has put.
Task<void> put_and_read_back(Cache& cache, std::uint64_t client, int rounds, int& failures) {
  const Key own = key("own-" + std::to_string(client));
  for (int round = 1; round <= rounds; ++round) {
    const auto ms = static_cast<std::uint64_t>(round) * 1000 + client;
    const std::string text = std::to_string(ms);
    const std::vector<CacheWrite> writes = {{own, record_of(text, ms), CacheWrite::Mode::put},
                                            {key("shared"), record_of(text, ms), CacheWrite::Mode::put}};
    const auto written = co_await cache.write(writes, soon());
    const auto found = co_await cache.get(own, soon());
    const bool visible = written && found && found->record && found->record->value.bytes == text;
    failures += visible ? 0 : 1;
  }
}

TEST_P(CacheContract, ManyCallersOnSeveralLoopsSeeTheirOwnWrites) {
  constexpr std::uint64_t clients_per_loop = 32;
  constexpr int rounds = 20;
  std::vector<int> failures(loops_.size(), 0);
  std::vector<std::thread> waiting;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    waiting.emplace_back([&, i] {
      const auto root = [&]() -> Task<void> {
        TaskScope scope(loops_[i]);
        for (std::uint64_t c = 0; c < clients_per_loop; ++c) {
          scope.spawn(put_and_read_back(cache(), i * clients_per_loop + c, rounds, failures[i]));
        }
        co_await scope.join();
      };
      net::run_to_end(loops_[i], root());
    });
  }
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(failures, std::vector<int>(loops_.size(), 0));
  const std::uint64_t newest = rounds * 1000 + loops_.size() * clients_per_loop - 1;
  EXPECT_EQ(read("shared"), std::to_string(newest));
}

// However many ask at once, one of them loads.
TEST_P(CacheContract, OfManyReadersAtOnceOneGetsTheLease) {
  constexpr int readers = 64;
  int leases = 0;
  int errors = 0;
  const Key wanted = key("k");
  const auto reader = [&]() -> Task<void> {
    const auto found = co_await cache().get(wanted, soon());
    errors += found ? 0 : 1;
    leases += found && found->lease ? 1 : 0;
  };
  const auto root = [&]() -> Task<void> {
    TaskScope scope(loops_[0]);
    for (int i = 0; i < readers; ++i) scope.spawn(reader());
    co_await scope.join();
  };
  net::run_to_end(loops_[0], root());
  EXPECT_EQ(leases, 1);
  EXPECT_EQ(errors, 0);
}

}  // namespace
}  // namespace armazem::test
