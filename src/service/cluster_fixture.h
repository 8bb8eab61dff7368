// What tests of the cluster's use cases share: time that only passes when the test lets it, a store, a cache and a queue in
// memory, and wrappers that write down in which order they are used or that stop the process at a chosen moment.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_cache.h"
#include "adapters/memory/memory_queue.h"
#include "adapters/memory/memory_store.h"
#include "service/applier.h"
#include "service/batcher.h"
#include "service/enqueuer.h"
#include "service/write_fixture.h"
#include "support/mutations.h"
#include "support/stepped_executor.h"
#include "support/test_time.h"

namespace armazem::test {

using std::chrono::milliseconds;
using Order = std::vector<std::string>;

inline Outcome applied_at(Version at, Effect effect = Effect::created) {
  return {Verdict::applied, effect, at, at, false};
}

// A store in front of another one. `before` may answer in its place.
class StoreWrapper final : public Store {
 public:
  using Batch = std::vector<Mutation>;
  using Outcomes = Result<std::vector<Outcome>>;
  explicit StoreWrapper(Store& inner) : inner_(inner) {}

  Task<Outcomes> apply(Batch mutations, ApplyGuard guard, Deadline deadline) override {
    ++applies;
    guards.push_back(guard);
    batch_sizes.push_back(mutations.size());
    if (before) {
      if (auto instead = before(mutations)) co_return std::move(*instead);
    }
    Outcomes outcomes = co_await inner_.apply(std::move(mutations), guard, deadline);
    if (after) after();
    co_return outcomes;
  }
  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override {
    ++gets;
    if (before_get) before_get();
    Result<std::optional<Record>> found = co_await inner_.get(key, deadline);
    if (get_answers_at) co_await sleep_until(*get_answers_at);  // with what it has read before
    if (after_get) after_get();
    co_return found;
  }
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override {
    co_return co_await inner_.scan(std::move(request), deadline);
  }
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override {
    co_return co_await inner_.purge(request, deadline);
  }
  Task<StoreHealth> health(Deadline deadline) override {
    ++healths;
    co_return co_await inner_.health(deadline);
  }

  std::function<std::optional<Outcomes>(const Batch&)> before;
  std::function<void()> after;
  std::function<void()> before_get;
  std::function<void()> after_get;
  std::optional<MonotonicTime> get_answers_at;
  std::size_t applies = 0;
  std::size_t gets = 0;
  std::size_t healths = 0;
  std::vector<std::size_t> batch_sizes;
  std::vector<ApplyGuard> guards;

 private:
  Store& inner_;
};

// A cache in front of another one, that keeps what it was told. `before_write` may answer in its place.
class CacheWrapper final : public Cache {
 public:
  explicit CacheWrapper(Cache& inner) : inner_(inner) {}

  Task<Result<CacheLookup>> get(const Key& key, Deadline deadline) override {
    ++gets;
    if (slow) {
      co_await sleep_until(deadline.time());
      co_return fail(ErrorCode::deadline_exceeded, "the cache is slow");
    }
    co_return co_await inner_.get(key, deadline);
  }
  Task<Result<bool>> fill(const Key& key, const std::optional<Record>& record, Lease lease,
                          Deadline deadline) override {
    ++fills;
    co_return co_await inner_.fill(key, record, lease, deadline);
  }
  Task<Result<void>> write(std::span<const CacheWrite> writes, Deadline deadline) override {
    ++calls;
    told.insert(told.end(), writes.begin(), writes.end());
    if (slow) {
      co_await sleep_until(deadline.time());
      co_return fail(ErrorCode::deadline_exceeded, "the cache is slow");
    }
    if (before_write) {
      if (auto instead = before_write()) co_return std::move(*instead);
    }
    const Result<void> done = co_await inner_.write(writes, deadline);
    if (after_write) after_write();
    co_return done;
  }
  [[nodiscard]] CacheHealth health() const override { return inner_.health(); }

  std::function<std::optional<Result<void>>()> before_write;
  std::function<void()> after_write;
  bool slow = false;  // every call waits until its caller's patience ends
  std::size_t calls = 0;
  std::size_t gets = 0;
  std::size_t fills = 0;
  std::vector<CacheWrite> told;

 private:
  Cache& inner_;
};

// The publisher needs its sink before the enqueuer exists, and the enqueuer its publisher.
class Relay final : public ReplySink {
 public:
  std::atomic<ReplySink*> to = nullptr;
  void on_replies(std::span<const Reply> replies) override {
    if (ReplySink* sink = to.load()) sink->on_replies(replies);
  }
  void on_replies_lost() override {
    if (ReplySink* sink = to.load()) sink->on_replies_lost();
  }
};

// The wall clock of another machine.
class SkewedTime final : public TimeSource {
 public:
  SkewedTime(const TimeSource& right, std::int64_t ahead) : ahead_ms(ahead), right_(right) {}
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override {
    return right_.wall_ms() + static_cast<std::uint64_t>(ahead_ms);
  }
  [[nodiscard]] MonotonicTime now() const noexcept override { return right_.now(); }
  std::int64_t ahead_ms;

 private:
  const TimeSource& right_;
};

// The writing half of one API server: both roads, its own clock.
class TestServer {
 public:
  TestServer(Store& store, Cache* cache, MemoryQueue& broker, SteppedExecutor& executor, const TestTime& time,
             std::int64_t clock_ahead_ms = 0, std::uint64_t first_op = 0, EnqueuerOptions options = {})
      : wall(time, clock_ahead_ms),
        ops(first_op),
        applier(store, cache, time),
        batcher(applier, executor, time, {}),
        publisher(broker.connect_publisher(relay)),
        enqueuer(*publisher, executor, time, options),
        writer(batcher, &enqueuer, clock, ops, time),
        executor_(executor) {
    relay.to = &enqueuer;
    executor_.run_ready();
  }
  ~TestServer() {
    executor_.run_beside([this] {
      enqueuer.close();
      batcher.close();
    });
    relay.to = nullptr;
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  void expire(MonotonicTime now) {
    enqueuer.expire(now);
    batcher.expire(now);
  }

  SkewedTime wall;
  HybridClock clock{wall};
  CountedOpIds ops;
  Applier applier;
  Batcher batcher;
  Relay relay;
  std::unique_ptr<QueuePublisher> publisher;
  Enqueuer enqueuer;
  Writer writer;

 private:
  SteppedExecutor& executor_;
};

class ClusterTest : public testing::Test {
 protected:
  std::optional<Record> stored(const std::string& name) {
    const Key wanted = key(name);
    return memory_.get(wanted, in_time()).take_ready().value();
  }
  std::string stored_bytes(const std::string& name) {
    const auto record = stored(name);
    return record && !record->tombstone ? record->value.bytes : "(none)";
  }
  // What stands in the cache; takes out no lease that a test could miss.
  std::optional<Record> cached(const std::string& name) {
    const Key wanted = key(name);
    const CacheLookup found = cache_memory_.get(wanted, in_time()).take_ready().value();
    if (found.lease) cache_memory_.evict(wanted);
    return found.record;
  }
  // Puts a state into the store, past everything under test.
  void given(std::vector<Mutation> mutations) {
    ASSERT_TRUE(memory_.apply(std::move(mutations), {}, in_time()).take_ready().has_value());
  }
  // Puts an entry into the cache, past everything under test.
  void given_cached(const Mutation& mutation) {
    Record record{
        mutation.value, mutation.kind == Mutation::Kind::remove, mutation.version, mutation.expires_at_ms, {}};
    const std::vector<CacheWrite> writes{{mutation.key, std::move(record), CacheWrite::Mode::put}};
    ASSERT_TRUE(cache_memory_.write(writes, in_time()).take_ready().has_value());
  }
  [[nodiscard]] Deadline in_time() const { return Deadline::after(time_.now(), std::chrono::seconds(60)); }

  TestTime time_;
  SteppedExecutor executor_{time_};
  MemoryStore memory_{time_};
  FaultyStore faulty_{memory_};
  StoreWrapper store_{faulty_};
  MemoryCache cache_memory_{time_};
  CacheWrapper cache_{cache_memory_};
};

}  // namespace armazem::test
