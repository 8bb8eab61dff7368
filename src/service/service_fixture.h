// What tests of the use cases share: a store that can be held or made to fail, a batcher's thread, and the test's own
// thread as the executor of all requests.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <latch>
#include <memory>
#include <optional>
#include <thread>

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "runtime/thread_pool.h"
#include "service/batcher.h"
#include "support/mutations.h"
#include "support/run_task.h"
#include "support/test_time.h"

namespace armazem::test {

// Polls for what another thread does; false when it did not happen in time.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const Deadline give_up = Deadline::after(MonotonicClock::now(), std::chrono::seconds(60));
  while (!condition()) {
    if (give_up.expired(MonotonicClock::now())) return false;
    std::this_thread::yield();
  }
  return true;
}

class ServiceTest : public testing::Test {
 protected:
  // The record as the store holds it.
  std::optional<Record> stored(const std::string& name) {
    const Key wanted = key(name);
    return memory_.get(wanted, soon()).take_ready().value();
  }
  std::string stored_bytes(const std::string& name) {
    const auto record = stored(name);
    return record && !record->tombstone ? record->value.bytes : "(none)";
  }
  // Puts a state into the store, past everything under test.
  void given(std::vector<Mutation> mutations) {
    ASSERT_TRUE(memory_.apply(std::move(mutations), {}, soon()).take_ready().has_value());
  }

  TestTime time_;
  MemoryStore memory_{time_};
  FaultyStore store_{memory_};
  Applier applier_{store_, nullptr, time_};  // no cache
  ThreadPool batch_thread_{"batches", 1};
  TestExecutor executor_;
};

// Keeps a single-threaded pool busy until its end.
class Pause {
 public:
  explicit Pause(ThreadPool& pool) {
    start_root(pool, block(pool, running_, go_on_));
    running_->wait();
  }
  ~Pause() { go_on_->count_down(); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  using Gate = std::shared_ptr<std::latch>;  // shared, because the pool may look at it a moment longer than we do
  static Task<void> block(ThreadPool& pool, Gate running, Gate go_on) {
    co_await resume_on(pool);
    running->count_down();
    go_on->wait();
  }
  const Gate running_ = std::make_shared<std::latch>(1);
  const Gate go_on_ = std::make_shared<std::latch>(1);
};

// Writes in flight on the test's executor, and what became of each.
class Writes {
 public:
  Writes(Batcher& batcher, TestExecutor& executor) : batcher_(batcher), executor_(executor), scope_(executor) {}
  ~Writes() { finish(); }

  // Returns with the mutation handed to the batcher. Its number is the count of those before it.
  void submit(Mutation mutation, Deadline deadline = soon()) {
    scope_.spawn(run(std::move(mutation), deadline, results_.emplace_back()));
  }
  void finish() {
    executor_.run_until([this] { return scope_.running() == 0; });
  }
  // Lets that one end, whatever the others do.
  Result<Outcome> wait(std::size_t number) {
    executor_.run_until([&] { return results_[number].has_value(); });
    return *results_[number];
  }
  [[nodiscard]] bool answered(std::size_t number) const { return results_[number].has_value(); }
  [[nodiscard]] std::size_t size() const { return results_.size(); }

 private:
  Task<void> run(Mutation mutation, Deadline deadline, std::optional<Result<Outcome>>& result) {
    result.emplace(co_await batcher_.submit(std::move(mutation), deadline));
  }

  Batcher& batcher_;
  TestExecutor& executor_;
  TaskScope scope_;
  std::deque<std::optional<Result<Outcome>>> results_;
};

inline Outcome applied(Effect effect, Version at) { return {Verdict::applied, effect, at, at, false}; }

}  // namespace armazem::test
