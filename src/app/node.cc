#include "app/node.h"

#include <prometheus/metric_family.h>

#include <utility>

#include "adapters/memory/memory_store.h"
#include "adapters/rocksdb/rocksdb_store.h"
#include "app/store_metrics.h"
#include "app/system_time.h"
#include "core/hybrid_clock.h"
#include "http/api.h"
#include "http/byte_budget.h"
#include "http/server.h"
#include "runtime/thread_pool.h"
#include "service/purger.h"

namespace armazem {
namespace {

struct OpenStore {
  std::unique_ptr<ThreadPool> own_executor;  // of a store that has none
  std::unique_ptr<Store> store;
  Executor* write_executor = nullptr;
  std::vector<http::MetricsSource> metrics;
};

Result<OpenStore> open_memory(const TimeSource& time) {
  OpenStore open;
  open.own_executor = std::make_unique<ThreadPool>("store", 1);
  open.store = std::make_unique<MemoryStore>(time);
  open.write_executor = open.own_executor.get();
  return open;
}

Result<OpenStore> open_rocksdb(const Settings& settings, const TimeSource& time) {
  RocksdbOptions options;
  options.path = settings.data;
  options.block_cache_bytes = settings.block_cache_bytes;
  options.write_buffer_bytes = settings.write_buffer_bytes;
  options.reserve_bytes = settings.store_reserve_bytes;
  Result<std::unique_ptr<RocksdbStore>> store = RocksdbStore::open(options, time);
  if (!store) return fail(std::move(store.error()));
  OpenStore open;
  RocksdbStore* const rocksdb = store->get();
  open.write_executor = &rocksdb->write_executor();
  open.metrics.push_back([rocksdb](std::vector<prometheus::MetricFamily>& all) { add_store_metrics(rocksdb->figures(), all); });
  open.store = std::move(*store);
  return open;
}

Result<OpenStore> open_store(const Settings& settings, const TimeSource& time) {
  return settings.store == StoreKind::memory ? open_memory(time) : open_rocksdb(settings, time);
}

BatcherOptions batcher_options(const Settings& settings) {
  BatcherOptions options;
  options.batch_bytes_max = std::max(options.batch_bytes_max, settings.value_bytes_max + limits::key_bytes_max);
  options.pending_bytes_max = std::max(options.pending_bytes_max, 4 * options.batch_bytes_max);
  options.store_timeout = settings.store_timeout;
  return options;
}

WriterOptions writer_options(const Settings& settings) {
  WriterOptions options;
  options.store_timeout = settings.store_timeout;
  return options;
}

PurgeOptions purge_options(const Settings& settings) {
  PurgeOptions options;
  options.retention = settings.retention;
  options.interval = settings.purge_interval;
  return options;
}

}  // namespace

// In the order of construction; destroyed from the last to the first.
struct Node::Parts {
  Parts(const Settings& settings, OpenStore opened)
      : loops("http", settings.server.threads),
        open(std::move(opened)),
        applier(*open.store, nullptr, time),
        batcher(applier, *open.write_executor, time, batcher_options(settings)),
        reader(*open.store, nullptr, time),
        writer(batcher, nullptr, clock, ops, time, writer_options(settings)),
        operations(*open.store, time, {.retention = settings.retention}),
        purger(*open.store, time, purge_options(settings)),
        budget(settings.server.inflight_body_bytes_max),
        metrics(settings.server.threads),
        store_handlers(reader, writer, {.value_bytes_max = settings.value_bytes_max, .read_timeout = settings.store_timeout}),
        operation_handlers(operations, settings.store_timeout),
        admin_handlers(checks(), metrics, budget, sources()),
        api(http::Router(settings.value_bytes_max, clock), store_handlers, operation_handlers, admin_handlers, chores()) {}

  std::vector<http::HealthCheck> checks() {
    const auto store = [this](Deadline deadline) -> Task<http::HealthCheck::State> {
      const StoreHealth health = co_await open.store->health(deadline);
      co_return http::HealthCheck::State{health.ok, health.detail};
    };
    return {{"store", http::HealthCheck::Need::required, store}};
  }

  std::vector<http::Chore> chores() {
    return {[this](TaskScope&, MonotonicTime now) { batcher.expire(now); },
            [this](TaskScope& scope, MonotonicTime now) {
              if (purger.due(now)) scope.spawn(purger.run());
            }};
  }

  std::vector<http::MetricsSource> sources() {
    std::vector<http::MetricsSource> all = std::move(open.metrics);
    all.push_back([this](std::vector<prometheus::MetricFamily>& families) {
      add_service_metrics(batcher.figures(), purger.removed(), static_cast<double>(clock.lead_ms()) / 1000, families);
    });
    return all;
  }

  SystemTime time;
  net::LoopGroup loops;
  HybridClock clock{time};
  RandomOpIds ops;
  OpenStore open;
  Applier applier;
  Batcher batcher;
  Reader reader;
  Writer writer;
  Operations operations;
  Purger purger;
  http::ByteBudget budget;
  http::ServerMetrics metrics;
  http::StoreHandlers store_handlers;
  http::OperationHandlers operation_handlers;
  http::AdminHandlers admin_handlers;
  http::Api api;
  std::unique_ptr<http::Server> server;
};

Result<std::unique_ptr<Node>> Node::start(const Settings& settings) {
  static const SystemTime opening_time;
  Result<OpenStore> store = open_store(settings, opening_time);
  if (!store) return fail(std::move(store.error()));
  auto parts = std::make_unique<Parts>(settings, std::move(*store));
  Result<std::unique_ptr<http::Server>> server = http::Server::start(settings.server, parts->loops, parts->api, parts->budget, parts->metrics);
  if (!server) return fail(std::move(server.error()));
  parts->server = std::move(*server);
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Node::port() const noexcept { return parts_->server->port(); }

std::size_t Node::stop(std::chrono::milliseconds grace) {
  if (!parts_) return 0;
  parts_->admin_handlers.set_stopping();
  const std::size_t cut = parts_->server->stop(grace);
  parts_->batcher.close();
  parts_.reset();
  return cut;
}

}  // namespace armazem
