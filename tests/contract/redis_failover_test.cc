// The cache on a cluster of its own whose nodes fail, fail over, stop and move slots. Each test ends by proving that the
// cache works again.
#include <gtest/gtest.h>

#include "adapters/redis/redis_cache.h"
#include "adapters/redis/slot.h"
#include "app/system_time.h"
#include "contract/cache_contract.h"
#include "net/loop_group.h"
#include "support/redis_cluster.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;
using Mode = CacheWrite::Mode;

// What a call may take: the time-out of a command, its sweep, and a busy machine.
constexpr auto call_bound = 1'000ms;

class RedisFailover : public testing::Test {
 protected:
  void SetUp() override {
    if (auto why = no_redis_server()) GTEST_SKIP() << *why;
    cluster_ = std::make_unique<RedisCluster>();
    open();
  }

  void open() {
    RedisOptions options = parse_redis_url(cluster_->url()).value();
    options.command_timeout = 150ms;
    cache_ = RedisCache::open(options, loops_, time_).value();
  }

  static std::uint16_t slot(const std::string& name) { return redis::slot_of("armazem:" + name); }
  std::size_t primary(const std::string& name) const { return cluster_->primary_of(slot(name)); }
  // A key of the shard that this node serves.
  std::string key_of(std::size_t node, const std::string& stem = "k") const {
    for (int i = 0;; ++i) {
      const std::string name = stem + std::to_string(i);
      if (primary(name) == node) return name;
    }
  }
  std::size_t replica_of(std::size_t node) const {
    const std::string id = cluster_->id_of(node);
    for (std::size_t i = 0; i < cluster_->size(); ++i) {
      if (i != node && cluster_->runs(i) && cluster_->ask(i, {"CLUSTER", "NODES"}).find("myself,slave " + id) != std::string::npos) {
        return i;
      }
    }
    throw std::runtime_error("no replica");
  }

  template <class T>
  T bounded(Task<T> task) {
    const MonotonicTime begin = MonotonicClock::now();
    T result = executor_.run(std::move(task));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(MonotonicClock::now() - begin);
    EXPECT_LT(took, call_bound);
    longest_ = std::max(longest_, took);
    return result;
  }
  Result<CacheLookup> get(const std::string& name) {
    const Key wanted = key(name);
    return bounded(cache_->get(wanted, soon()));
  }
  Result<void> write(const std::string& name, Record record, Mode mode = Mode::put) {
    const std::vector<CacheWrite> writes = {{key(name), std::move(record), mode}};
    return bounded(cache_->write(writes, soon()));
  }
  bool fill(const std::string& name, const Record& record, Lease lease) {
    const Key wanted = key(name);
    const std::optional<Record> filled(record);
    const auto done = bounded(cache_->fill(wanted, filled, lease, soon()));
    return done && *done;
  }
  std::string read(const std::string& name) {
    const auto found = get(name);
    if (!found) return std::string("(") + std::string(to_string(found.error().code)) + ")";
    if (!found->record) return "(miss)";
    return found->record->value.bytes;
  }
  // The first answer that is no error. Errors must be such that the caller knows to go to the store.
  CacheLookup first_answer(const std::string& name) {
    std::optional<CacheLookup> answer;
    EXPECT_TRUE(wait_for(
        [&] {
          auto found = get(name);
          if (found) {
            answer = std::move(*found);
          } else {
            EXPECT_EQ(found.error().code, ErrorCode::unavailable) << found.error().message;
          }
          return answer.has_value();
        },
        30s));
    return answer.value_or(CacheLookup());
  }
  bool write_in_time(const std::string& name, const Record& record) {
    return wait_for([&] { return write(name, record).has_value(); }, 30s);
  }
  bool whole_in_time() {
    return wait_for([&] { return cache_->health().ok; }, 30s);
  }
  void expect_works(const std::string& name) {
    EXPECT_TRUE(whole_in_time()) << cache_->health().detail;
    EXPECT_TRUE(write_in_time(name, record_of("it works", 900'000)));
    EXPECT_EQ(read(name), "it works");
  }

  SystemTime time_;
  net::LoopGroup loops_{"cache", 1};
  TestExecutor executor_;
  std::unique_ptr<RedisCluster> cluster_;
  std::unique_ptr<RedisCache> cache_;
  std::chrono::milliseconds longest_{0};
};

TEST_F(RedisFailover, WhatWasCachedBeforeAPrimaryDiedIsNeverServedAfterwards) {
  ASSERT_TRUE(whole_in_time()) << cache_->health().detail;
  const std::size_t dying = cluster_->primary_of(0);
  const std::size_t heir = replica_of(dying);
  std::vector<std::string> names;
  for (int i = 0; i < 20; ++i) names.push_back(key_of(dying, "k" + std::to_string(i) + "-"));
  for (const std::string& name : names) ASSERT_TRUE(write(name, record_of("before", 9)).has_value());
  ASSERT_EQ(read(names[0]), "before");
  ASSERT_TRUE(wait_for([&] { return cluster_->ask(heir, {"DBSIZE"}) == std::to_string(names.size()); }, 10s));

  cluster_->kill(dying);
  const CacheLookup found = first_answer(names[0]);
  EXPECT_FALSE(found.record.has_value()) << "served: " << found.record->value.bytes;
  ASSERT_TRUE(found.lease.has_value());
  EXPECT_TRUE(wait_for([&] { return primary(names[0]) == heir; }, 20s)) << "the node that is asked hears of it by gossip";
  EXPECT_NE(cluster_->ask(heir, {"EXISTS", "armazem:" + names[1]}), "0") << "it was there to be served";
  EXPECT_GT(cache_->figures().misses_other_epoch, 0U);

  EXPECT_TRUE(fill(names[0], record_of("read again", 9), *found.lease));
  EXPECT_EQ(read(names[0]), "read again");
  for (std::size_t i = 1; i < names.size(); ++i) EXPECT_EQ(read(names[i]), "(miss)");
  cluster_->start(dying);
  cluster_->wait_until_whole();
  EXPECT_EQ(read(names[0]), "read again");
  expect_works(names[1]);
}

TEST_F(RedisFailover, AnEntryFromBeforeBlocksNoPutAndCreatesNothing) {
  ASSERT_TRUE(whole_in_time());
  const std::size_t old_primary = cluster_->primary_of(0);
  const std::size_t heir = replica_of(old_primary);
  const std::string put = key_of(old_primary, "put");
  const std::string replaced = key_of(old_primary, "replaced");
  const std::string removed = key_of(old_primary, "removed");
  const std::string leased = key_of(old_primary, "leased");
  for (const std::string& name : {put, replaced, removed}) ASSERT_TRUE(write(name, record_of("before", 9)).has_value());
  const auto lease = get(leased);
  ASSERT_TRUE(lease && lease->lease);
  ASSERT_TRUE(wait_for([&] { return cluster_->ask(heir, {"DBSIZE"}) == "4"; }, 10s));

  ASSERT_EQ(cluster_->ask(heir, {"CLUSTER", "FAILOVER"}), "OK");
  ASSERT_TRUE(wait_for([&] { return primary(put) == heir; }, 20s));
  // A lease that was granted before is worth nothing: who knows what was put behind it.
  EXPECT_FALSE(fill(leased, record_of("slow", 1), *lease->lease));
  EXPECT_TRUE(write_in_time(put, record_of("rolled back", 5)));
  EXPECT_EQ(read(put), "rolled back") << "an older version, because the newer entry counts as absent";
  EXPECT_TRUE(write(replaced, record_of("read some time ago", 10), Mode::replace_only).has_value());
  EXPECT_EQ(read(replaced), "(miss)");
  EXPECT_TRUE(write(removed, record_of("", 1), Mode::remove_older).has_value());
  EXPECT_EQ(read(removed), "(miss)");
  EXPECT_GT(cache_->figures().moved, 0U);
  expect_works(put);
}

TEST_F(RedisFailover, ASlotOnItsWayIsFollowed) {
  ASSERT_TRUE(whole_in_time());
  const std::size_t from = cluster_->primary_of(0);
  const std::size_t to = cluster_->primary_of(16'383);
  std::string base;
  for (int i = 0; base.empty(); ++i) {
    const std::string candidate = "{t" + std::to_string(i) + "}";
    if (primary(candidate) == from) base = candidate;
  }
  const std::string slot_text = std::to_string(slot(base));
  ASSERT_TRUE(write(base + "here", record_of("before", 1)).has_value());
  ASSERT_EQ(cluster_->ask(to, {"CLUSTER", "SETSLOT", slot_text, "IMPORTING", cluster_->id_of(from)}), "OK");
  ASSERT_EQ(cluster_->ask(from, {"CLUSTER", "SETSLOT", slot_text, "MIGRATING", cluster_->id_of(to)}), "OK");

  EXPECT_EQ(read(base + "here"), "before") << "not moved yet";
  ASSERT_TRUE(write(base + "new", record_of("on its way", 1)).has_value());
  EXPECT_EQ(read(base + "new"), "on its way");
  const RedisFigures during = cache_->figures();
  EXPECT_GT(during.ask, 0U);
  EXPECT_EQ(cluster_->ask(from, {"EXISTS", "armazem:" + base + "here"}), "1");

  ASSERT_EQ(cluster_->ask(from, {"MIGRATE", "127.0.0.1", std::to_string(cluster_->port(to)), "armazem:" + base + "here",
                                 "0", "1000"}),
            "OK");
  for (const std::size_t node : {to, from}) {
    ASSERT_EQ(cluster_->ask(node, {"CLUSTER", "SETSLOT", slot_text, "NODE", cluster_->id_of(to)}), "OK");
  }
  // The new owner may have a newer epoch or not; old values are right here, errors are not.
  const std::string after = read(base + "new");
  EXPECT_TRUE(after == "on its way" || after == "(miss)") << after;
  EXPECT_GT(cache_->figures().moved, 0U);
  cluster_->wait_until_whole();
  expect_works(base + "here");
}

TEST_F(RedisFailover, ScriptsThatWereForgottenAreSentAgain) {
  ASSERT_TRUE(whole_in_time()) << cache_->health().detail;
  ASSERT_TRUE(write("k", record_of("one", 1)).has_value());
  for (std::size_t i = 0; i < cluster_->size(); ++i) cluster_->ask(i, {"SCRIPT", "FLUSH", "SYNC"});
  std::vector<CacheWrite> writes;
  for (int i = 0; i < 100; ++i) writes.push_back({key("n" + std::to_string(i)), record_of("v", 1), Mode::put});
  ASSERT_TRUE(bounded(cache_->write(writes, soon())).has_value());
  EXPECT_GT(cache_->figures().no_script, 0U);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(read("n" + std::to_string(i)), "v");
}

TEST_F(RedisFailover, APausedNodeCostsOneTimeOutAndThenNothing) {
  ASSERT_TRUE(whole_in_time());
  const std::size_t paused = cluster_->primary_of(0);
  const std::string name = key_of(paused);
  const std::string elsewhere = key_of(cluster_->primary_of(16'383));
  ASSERT_TRUE(write(name, record_of("v", 1)).has_value());
  ASSERT_TRUE(write(elsewhere, record_of("v", 1)).has_value());
  cluster_->pause(paused);
  EXPECT_EQ(read(name), "(unavailable)");
  EXPECT_GT(cache_->figures().timeouts, 0U);
  // From now on nobody waits for that node, and the others serve.
  for (int i = 0; i < 50; ++i) {
    const MonotonicTime begin = MonotonicClock::now();
    EXPECT_EQ(read(name), "(unavailable)");
    EXPECT_LT(MonotonicClock::now() - begin, 140ms) << "less than the time-out of a command";
    EXPECT_EQ(read(elsewhere), "v");
  }
  EXPECT_TRUE(wait_for([&] { return cache_->figures().breaker_openings > 0; }, 20s));
  EXPECT_FALSE(cache_->health().ok);
  cluster_->resume(paused);
  cluster_->wait_until_whole();
  expect_works(name);
}

TEST_F(RedisFailover, ACallEndsAtItsOwnDeadline) {
  ASSERT_TRUE(whole_in_time());
  const std::size_t paused = cluster_->primary_of(0);
  const Key name = key(key_of(paused));
  cluster_->pause(paused);
  const Deadline deadline = Deadline::after(MonotonicClock::now(), 30ms);
  const auto found = bounded(cache_->get(name, deadline));
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::deadline_exceeded);
  EXPECT_LT(longest_, 140ms) << "not only when the command has timed out";
  cluster_->resume(paused);
  cluster_->wait_until_whole();
  expect_works(name.text());
}

TEST_F(RedisFailover, AShardWithoutAnyNodeIsNamedAndTheOthersServe) {
  ASSERT_TRUE(whole_in_time());
  const std::size_t lost = cluster_->primary_of(0);
  const std::size_t its_replica = replica_of(lost);
  const std::string name = key_of(lost);
  const std::string elsewhere = key_of(cluster_->primary_of(16'383));
  cluster_->kill(its_replica);
  cluster_->kill(lost);
  EXPECT_TRUE(wait_for([&] { return cache_->health().detail.starts_with("2 of 3 shards"); }, 20s));
  EXPECT_NE(cache_->health().detail.find(std::to_string(cluster_->port(lost))), std::string::npos);
  ASSERT_TRUE(write(elsewhere, record_of("v", 1)).has_value());
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(read(name), "(unavailable)");
    EXPECT_EQ(read(elsewhere), "v");
  }
  cluster_->start(lost);
  cluster_->start(its_replica);
  cluster_->wait_until_whole();
  expect_works(name);
}

TEST_F(RedisFailover, AClusterThatIsDownAtTheStartIsFoundWhenItComes) {
  cache_.reset();
  for (std::size_t i = 0; i < cluster_->size(); ++i) cluster_->kill(i);
  open();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(read("k"), "(unavailable)");
  EXPECT_FALSE(cache_->health().ok);
  EXPECT_NE(cache_->health().detail, "");
  for (std::size_t i = 0; i < cluster_->size(); ++i) cluster_->start(i);
  cluster_->wait_until_whole();
  expect_works("k");
}

}  // namespace
}  // namespace armazem::test
