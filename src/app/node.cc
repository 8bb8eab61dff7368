#include "app/node.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <utility>

#include "app/purge_settings.h"
#include "app/reply_relay.h"
#include "app/service_metrics.h"
#include "app/system_time.h"
#include "app/tiers.h"
#include "core/hybrid_clock.h"
#include "http/api.h"
#include "http/byte_budget.h"
#include "http/server.h"
#include "net/loop_group.h"

namespace armazem {
namespace {

BatcherOptions batcher_options(const Settings& settings) {
  BatcherOptions options;
  options.batch_bytes_max = std::max(options.batch_bytes_max, settings.value_bytes_max + limits::key_bytes_max);
  options.pending_bytes_max = std::max(options.pending_bytes_max, 4 * options.batch_bytes_max);
  options.store_timeout = settings.store_timeout;
  return options;
}

EnqueuerOptions enqueuer_options(const Settings& settings) {
  EnqueuerOptions options;
  options.confirm_timeout = settings.confirm_timeout;
  options.messages_in_flight_max = settings.queue_in_flight;
  options.replies_awaited = std::chrono::milliseconds(100);
  return options;
}

ReaderOptions reader_options(const Settings& settings) {
  ReaderOptions options;
  options.cache_timeout = settings.cache_timeout;
  options.session_wait = settings.session_wait;
  options.retention = settings.retention;
  options.writes_may_be_pending = !settings.queue_url.empty();
  return options;
}

WriterOptions writer_options(const Settings& settings) {
  WriterOptions options;
  options.queue_wait = settings.queue_wait;
  options.store_timeout = settings.store_timeout;
  return options;
}

ChangeHubOptions hub_options(const Settings& settings) {
  ChangeHubOptions options;
  options.heartbeat = settings.watch_heartbeat;
  if (settings.store == StoreKind::sql) options.poll_interval = std::chrono::milliseconds(50);  // a query each time
  return options;
}

OperationsOptions operations_options(const Settings& settings) {
  OperationsOptions options;
  options.retention = settings.retention;
  if (!settings.queue_url.empty()) options.pending_max = settings.retention;
  return options;
}

}  // namespace

// What the tiers are opened with; outlives them.
struct Node::Ground {
  explicit Ground(const Settings& settings) : time(settings.test_clock_offset), loops("http", settings.server.threads) {}
  SystemTime time;
  HybridClock clock{time};
  net::LoopGroup loops;
  ReplyRelay relay;
};

// In the order of construction; destroyed from the last to the first.
struct Node::Parts {
  Parts(const Settings& settings, std::unique_ptr<Ground> under, Tiers opened)
      : ground(std::move(under)),
        tiers(std::move(opened)),
        applier(*tiers.store, tiers.cache.get(), ground->time),
        batcher(applier, *tiers.write_executor, ground->time, batcher_options(settings)),
        reader(*tiers.store, tiers.cache.get(), ground->time, reader_options(settings)),
        lister(*tiers.store, ground->time),
        operations(*tiers.store, ground->time, operations_options(settings)),
        purger(*tiers.store, ground->time, purge_options(settings)),
        changes(*tiers.changes, ground->loops[0], ground->time, http::change_event, hub_options(settings)),
        watch_handlers(changes),
        budget(settings.server.inflight_body_bytes_max),
        metrics(settings.server.threads) {
    if (tiers.publisher) {
      enqueuer.emplace(*tiers.publisher, ground->loops[0], ground->time, enqueuer_options(settings));
      ground->relay.aim(&*enqueuer);
    }
    writer.emplace(batcher, enqueuer ? &*enqueuer : nullptr, ground->clock, ops, ground->time, writer_options(settings));
    http::StoreHandlerOptions store_options;
    store_options.value_bytes_max = settings.value_bytes_max;
    store_options.read_timeout = settings.store_timeout;
    store_handlers.emplace(reader, *writer, store_options);
    list_handlers.emplace(lister, settings.store_timeout);
    batch_handlers.emplace(reader, *writer, ground->clock, store_options);
    operation_handlers.emplace(operations, settings.store_timeout);
    admin_handlers.emplace(health_checks(tiers), metrics, budget, sources());
    // With a queue the workers purge, one of them at a time.
    const bool purges = !tiers.publisher;
    const http::Router router(settings.value_bytes_max, ground->clock);
    const http::Handlers handlers{*store_handlers, *list_handlers, *batch_handlers, watch_handlers, *operation_handlers, *admin_handlers};
    api.emplace(router, handlers, chores(purges));
  }

  std::vector<http::MetricsSource> sources() {
    std::vector<http::MetricsSource> all = std::move(tiers.metrics);
    all.emplace_back([this](std::vector<prometheus::MetricFamily>& families) {
      add_batcher_metrics(batcher.figures(), families);
      add_clock_metrics(static_cast<double>(ground->clock.lead_ms()) / 1000, families);
      add_purge_metrics(purger.removed(), families);
      add_watch_metrics(changes.figures(), families);
      if (tiers.cache) add_reader_metrics(reader.figures(), applier.cache_failures(), families);
      if (enqueuer) add_enqueuer_metrics(enqueuer->figures(), families);
    });
    return all;
  }

  std::vector<http::Chore> chores(bool purges) {
    std::vector<http::Chore> all;
    all.emplace_back([this](TaskScope&, MonotonicTime now) {
      batcher.expire(now);
      if (enqueuer) enqueuer->expire(now);
      changes.expire(now);
    });
    if (!purges) return all;
    all.emplace_back([this](TaskScope& scope, MonotonicTime now) {
      if (purger.due(now)) scope.spawn(purger.run());
    });
    return all;
  }

  std::unique_ptr<Ground> ground;
  RandomOpIds ops;
  Tiers tiers;
  Applier applier;
  Batcher batcher;
  std::optional<Enqueuer> enqueuer;
  Reader reader;
  Lister lister;
  std::optional<Writer> writer;
  Operations operations;
  Purger purger;
  ChangeHub changes;
  http::WatchHandlers watch_handlers;
  http::ByteBudget budget;
  http::ServerMetrics metrics;
  std::optional<http::StoreHandlers> store_handlers;
  std::optional<http::ListHandlers> list_handlers;
  std::optional<http::BatchHandlers> batch_handlers;
  std::optional<http::OperationHandlers> operation_handlers;
  std::optional<http::AdminHandlers> admin_handlers;
  std::optional<http::Api> api;
  std::unique_ptr<http::Server> server;
};

Result<std::unique_ptr<Node>> Node::start(const Settings& settings) {
  auto ground = std::make_unique<Ground>(settings);
  Result<Tiers> tiers = open_for_server(settings, ground->loops, ground->time, ground->relay);
  if (!tiers) return fail(std::move(tiers.error()));
  auto parts = std::make_unique<Parts>(settings, std::move(ground), std::move(*tiers));
  Result<std::unique_ptr<http::Server>> server =
      http::Server::start(settings.server, parts->ground->loops, *parts->api, parts->budget, parts->metrics);
  if (!server) {
    end(*parts);
    return fail(std::move(server.error()));
  }
  parts->server = std::move(*server);
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Node::port() const noexcept { return parts_->server->port(); }

void Node::drain() {
  parts_->admin_handlers->set_stopping();
  parts_->server->drain();
}

std::size_t Node::stop(std::chrono::milliseconds grace) {
  if (!parts_) return 0;
  parts_->admin_handlers->set_stopping();
  const std::size_t cut = parts_->server->stop(grace);
  end(*parts_);
  parts_.reset();
  return cut;
}

// Nothing new comes: what waits is finished, by the queue first, because the direct road takes what the queue does not.
void Node::end(Parts& parts) {
  if (parts.enqueuer) parts.enqueuer->close();
  parts.batcher.close();
  parts.changes.close();
  parts.ground->relay.aim(nullptr);
}

}  // namespace armazem
