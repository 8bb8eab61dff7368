// The contract towards callers: deadlines, executors, many at once.
#include <thread>

#include "contract/store_contract.h"

namespace armazem::test {
namespace {

template <class T>
void expect_too_late(const Result<T>& result) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::deadline_exceeded);
}

TEST_P(StoreContract, NothingStartsBehindItsDeadline) {
  const Key wanted = key("k");
  apply_one(remove("gone", 1));
  std::vector<Mutation> batch = {put("k", "v", 2)};
  expect_too_late(executor_.run(store().apply(std::move(batch), {}, passed())));
  expect_too_late(executor_.run(store().get(wanted, passed())));
  expect_too_late(executor_.run(store().scan({}, passed())));
  expect_too_late(executor_.run(store().purge({epoch_ms + 100, 10}, passed())));
  EXPECT_EQ(get("k"), std::nullopt);
  EXPECT_TRUE(get("gone").has_value());
}

Task<int> count_calls_that_came_home(Store& store, Executor& home) {
  int came_home = 0;
  const Key wanted = key("k");
  // Named, because GCC 12 destroys an aggregate that is made inside a co_await expression twice.
  std::vector<Mutation> batch = {put("k", "v", 1)};
  ScanRequest everything;
  (void)co_await store.apply(std::move(batch), {}, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await store.get(wanted, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await store.scan(everything, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await store.purge({}, soon());
  came_home += home.running_here() ? 1 : 0;
  (void)co_await store.health(soon());
  came_home += home.running_here() ? 1 : 0;
  co_return came_home;
}

TEST_P(StoreContract, EveryCallResumesOnTheCallersExecutor) {
  EXPECT_EQ(executor_.run(count_calls_that_came_home(store(), executor_)), 5);
}

TEST_P(StoreContract, AFreshStoreIsHealthy) {
  const StoreHealth health = executor_.run(store().health(soon()));
  EXPECT_TRUE(health.ok) << health.detail;
  EXPECT_NE(health.detail, "");
}

// One client: writes its own key again and again, and one that all share; reads back what it was told.
Task<void> write_and_read_back(Store& store, std::uint64_t client, int rounds, int& failures) {
  const Key own = key("own-" + std::to_string(client));
  for (int round = 1; round <= rounds; ++round) {
    const auto ms = static_cast<std::uint64_t>(round) * 1000 + client;
    const std::string text = std::to_string(ms);
    std::vector<Mutation> batch = {put(own.text(), text, ms), put("shared", text, ms)};
    const auto outcomes = co_await store.apply(std::move(batch), {}, soon());
    const bool own_applied = outcomes && (*outcomes)[0].verdict == Verdict::applied && !(*outcomes)[0].replayed;
    const auto read = co_await store.get(own, soon());
    const bool visible = read && *read && (*read)->value.bytes == text;
    failures += own_applied && visible ? 0 : 1;
  }
}

TEST_P(StoreContract, ManyCallersAtOnceSeeTheirOwnWrites) {
  constexpr std::uint64_t threads = 4;
  constexpr std::uint64_t clients_per_thread = 16;
  constexpr int rounds = 5;
  std::vector<int> failures(threads, 0);
  std::vector<std::thread> running;
  for (std::uint64_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      TestExecutor executor;
      TaskScope scope(executor);
      for (std::uint64_t c = 0; c < clients_per_thread; ++c) {
        scope.spawn(write_and_read_back(store(), t * clients_per_thread + c, rounds, failures[t]));
      }
      executor.run_until([&] { return scope.running() == 0; });
    });
  }
  for (std::thread& thread : running) thread.join();
  EXPECT_EQ(failures, std::vector<int>(threads, 0));

  // The newest version of the shared key won, whatever the order in which they came.
  const std::uint64_t newest = rounds * 1000 + threads * clients_per_thread - 1;
  EXPECT_EQ(bytes("shared"), std::to_string(newest));
  EXPECT_EQ(scan({}).entries.size(), threads * clients_per_thread + 1);
}

}  // namespace
}  // namespace armazem::test
