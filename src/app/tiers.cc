#include "app/tiers.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>

#include "adapters/memory/memory_store.h"
#include "adapters/postgres/postgres_store.h"
#include "adapters/rabbitmq/rabbitmq_queue.h"
#include "adapters/redis/redis_cache.h"
#include "adapters/rocksdb/backup.h"
#include "adapters/rocksdb/rocksdb_store.h"
#include "app/store_metrics.h"
#include "app/system_time.h"
#include "app/tier_metrics.h"
#include "runtime/log.h"

namespace armazem {
namespace {

Result<Tiers> open_memory(const TimeSource& time) {
  Tiers tiers;
  tiers.own_executor = std::make_unique<ThreadPool>("store", 1);
  auto store = std::make_unique<MemoryStore>(time);
  tiers.changes = store.get();
  tiers.store = std::move(store);
  tiers.write_executor = tiers.own_executor.get();
  return tiers;
}

RocksdbOptions rocksdb_options(const Settings& settings) {
  RocksdbOptions options;
  options.path = settings.data;
  options.block_cache_bytes = settings.block_cache_bytes;
  options.write_buffer_bytes = settings.write_buffer_bytes;
  options.reserve_bytes = settings.store_reserve_bytes;
  return options;
}

Result<Tiers> open_rocksdb(const Settings& settings, const TimeSource& time) {
  Result<std::unique_ptr<RocksdbStore>> store = RocksdbStore::open(rocksdb_options(settings), time);
  if (!store) return fail(std::move(store.error()));
  Tiers tiers;
  RocksdbStore* const rocksdb = store->get();
  tiers.changes = rocksdb;
  tiers.write_executor = &rocksdb->write_executor();
  tiers.metrics.emplace_back([rocksdb](std::vector<prometheus::MetricFamily>& all) { add_store_metrics(rocksdb->figures(), all); });
  tiers.store = std::move(*store);
  return tiers;
}

using Families = std::vector<prometheus::MetricFamily>;

Result<Tiers> open_sql(const Settings& settings, net::LoopGroup& loops, const TimeSource& time) {
  PostgresOptions options;
  options.url = settings.store_url;
  options.write_connections = settings.store_connections;
  Result<std::unique_ptr<PostgresStore>> store = PostgresStore::open(options, loops, time);
  if (!store) return fail(std::move(store.error()).with_context("--store"));
  Tiers tiers;
  PostgresStore* const sql = store->get();
  tiers.changes = sql;
  tiers.metrics.emplace_back([sql](Families& all) { add_postgres_metrics(sql->figures(), all); });
  tiers.write_executor = &loops[0];
  tiers.store = std::move(*store);
  return tiers;
}

Result<Tiers> open_store(const Settings& settings, net::LoopGroup& loops, const TimeSource& time) {
  switch (settings.store) {
    case StoreKind::rocksdb: return open_rocksdb(settings, time);
    case StoreKind::memory: return open_memory(time);
    case StoreKind::sql: return open_sql(settings, loops, time);
  }
  return fail(ErrorCode::internal, "unknown store");
}

Result<void> add_cache(const Settings& settings, net::LoopGroup& loops, const TimeSource& time, Tiers& tiers) {
  if (settings.cache_url.empty()) return {};
  Result<RedisOptions> options = parse_redis_url(settings.cache_url);
  if (!options) return fail(std::move(options.error()).with_context("--cache"));
  options->ttl = settings.cache_ttl;
  options->command_timeout = settings.cache_timeout;
  Result<std::unique_ptr<RedisCache>> cache = RedisCache::open(std::move(*options), loops, time);
  if (!cache) return fail(std::move(cache.error()).with_context("--cache"));
  const RedisCache* const redis = cache->get();
  tiers.metrics.emplace_back([redis](Families& all) { add_redis_metrics(redis->figures(), all); });
  tiers.cache = std::move(*cache);
  return {};
}

RabbitmqOptions queue_options(const Settings& settings) {
  RabbitmqOptions options;
  options.url = settings.queue_url;
  options.partitions = settings.queue_partitions;
  return options;
}

Task<void> ask_health(Store& store, Deadline deadline, StoreHealth& health) { health = co_await store.health(deadline); }

// The first connection creates or upgrades the tables; here somebody waits for it.
Result<void> migrate_sql(const Settings& settings) {
  constexpr std::chrono::seconds patience{60};
  constexpr std::chrono::milliseconds interval{100};
  const SystemTime time;
  net::LoopGroup loops("migrate", 1);
  Result<Tiers> tiers = open_sql(settings, loops, time);
  if (!tiers) return fail(std::move(tiers.error()));
  const Deadline deadline = Deadline::after(time.now(), patience);
  StoreHealth health;
  while (true) {
    net::run_to_end(loops[0], ask_health(*tiers->store, deadline, health));
    if (health.ok) return {};
    if (deadline.expired(time.now())) return fail(ErrorCode::unavailable, health.detail);
    std::this_thread::sleep_for(interval);
  }
}

// Only said, not refused: writes go past a queue that is missing, and a broker in the middle of a failover may deny queues
// that it has.
void check_queues(const Settings& settings) {
  RabbitmqOptions options = queue_options(settings);
  options.connect_timeout = std::chrono::milliseconds(500);
  options.rpc_timeout = std::chrono::milliseconds(2'000);
  if (const Result<void> checked = check_topology(options); !checked) {
    log::warn("the queues are not as they should be", {{"reason", checked.error().message}});
  }
}

// Cache and queue serve several processes; a store that only one of them has would be a second truth.
Result<void> check_shape(const Settings& settings) {
  if (settings.store == StoreKind::sql || (settings.cache_url.empty() && settings.queue_url.empty())) return {};
  return fail(ErrorCode::invalid_argument, "--cache and --queue need a store that all servers and workers share: --store postgres://…");
}

Task<http::HealthCheck::State> state_of(Store& store, Deadline deadline) {
  const StoreHealth health = co_await store.health(deadline);
  co_return http::HealthCheck::State{health.ok, health.detail};
}

http::HealthCheck store_check(Store& store, http::HealthCheck::Need need) {
  return {"store", need, [&store](Deadline deadline) { return state_of(store, deadline); }};
}

template <class Tier>
http::HealthCheck check_of(std::string name, const Tier& tier, http::HealthCheck::Need need) {
  const auto ask = [&tier](Deadline) {
    const auto health = tier.health();
    return Task<http::HealthCheck::State>(http::HealthCheck::State{health.ok, health.detail});
  };
  return {std::move(name), need, ask};
}

}  // namespace

// A server can take writes while either of store and queue is there; a worker needs both.
std::vector<http::HealthCheck> health_checks(const Tiers& tiers) {
  using Need = http::HealthCheck::Need;
  std::vector<http::HealthCheck> checks;
  checks.push_back(store_check(*tiers.store, tiers.publisher ? Need::alternative : Need::required));
  if (tiers.publisher) checks.push_back(check_of("queue", *tiers.publisher, Need::alternative));
  if (tiers.consumer) checks.push_back(check_of("queue", *tiers.consumer, Need::required));
  if (tiers.cache) checks.push_back(check_of("cache", *tiers.cache, Need::wanted));
  return checks;
}

Result<Tiers> open_for_server(const Settings& settings, net::LoopGroup& loops, const TimeSource& time,
                              ReplySink& replies) {
  if (auto fits = check_shape(settings); !fits) return fail(std::move(fits.error()));
  Result<Tiers> tiers = open_store(settings, loops, time);
  if (!tiers) return tiers;
  if (auto added = add_cache(settings, loops, time, *tiers); !added) return fail(std::move(added.error()));
  if (settings.queue_url.empty()) return tiers;
  check_queues(settings);
  auto publisher = make_rabbitmq_publisher(queue_options(settings), replies);
  if (!publisher) return fail(std::move(publisher.error()).with_context("--queue"));
  const RabbitmqPublisher* const rabbit = publisher->get();
  tiers->metrics.emplace_back([rabbit](Families& all) { add_publisher_metrics(rabbit->figures(), all); });
  tiers->publisher = std::move(*publisher);
  return tiers;
}

Result<Tiers> open_for_worker(const Settings& settings, net::LoopGroup& loops, const TimeSource& time) {
  if (settings.queue_url.empty() || settings.store != StoreKind::sql) {
    return fail(ErrorCode::invalid_argument, "a worker needs --queue amqp://… and --store postgres://…");
  }
  Result<Tiers> tiers = open_store(settings, loops, time);
  if (!tiers) return tiers;
  if (auto added = add_cache(settings, loops, time, *tiers); !added) return fail(std::move(added.error()));
  check_queues(settings);
  auto consumer = make_rabbitmq_consumer(queue_options(settings));
  if (!consumer) return fail(std::move(consumer.error()).with_context("--queue"));
  const RabbitmqConsumer* const rabbit = consumer->get();
  tiers->metrics.emplace_back([rabbit](Families& all) { add_consumer_metrics(rabbit->figures(), all); });
  tiers->consumer = std::move(*consumer);
  return tiers;
}

Result<void> back_up_data(const Settings& settings, const std::string& to) {
  if (settings.store != StoreKind::rocksdb) {
    return fail(ErrorCode::invalid_argument, "'backup' is for the embedded store; a SQL store has tools of its own (docs/operations.md)");
  }
  const Result<BackupReport> report = back_up(rocksdb_options(settings), to);
  if (!report) return fail(report.error());
  std::printf("%llu records, %llu bytes, in %s\n", static_cast<unsigned long long>(report->records),
              static_cast<unsigned long long>(report->bytes), to.c_str());
  return {};
}

Result<void> migrate(const Settings& settings) {
  if (settings.store != StoreKind::sql && settings.queue_url.empty()) {
    return fail(ErrorCode::invalid_argument, "nothing to migrate: give --store postgres://… or --queue amqp://…");
  }
  if (settings.store == StoreKind::sql) {
    if (auto done = migrate_sql(settings); !done) return fail(std::move(done.error()).with_context("--store"));
    std::puts("store: the tables are there");
  }
  if (!settings.queue_url.empty()) {
    if (auto done = declare_topology(queue_options(settings)); !done) {
      return fail(std::move(done.error()).with_context("--queue"));
    }
    std::puts("queue: the queues are there");
  }
  return {};
}

Result<std::unique_ptr<DeadLetterBox>> open_dead_letters(const Settings& settings) {
  if (settings.queue_url.empty()) return fail(ErrorCode::invalid_argument, "dead letters are in the queue: give --queue amqp://…");
  return make_rabbitmq_dead_letters(queue_options(settings));
}

}  // namespace armazem
