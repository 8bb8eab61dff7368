#include "app/node.h"

#include <prometheus/metric_family.h>

#include <algorithm>
#include <utility>

#include "access/key_ring.h"
#include "app/access_metrics.h"
#include "app/purge_settings.h"
#include "app/reply_relay.h"
#include "app/service_metrics.h"
#include "app/system_time.h"
#include "app/tiers.h"
#include "core/hybrid_clock.h"
#include "http/access.h"
#include "http/admin_api.h"
#include "http/api.h"
#include "http/byte_budget.h"
#include "http/server.h"
#include "net/loop_group.h"
#include "runtime/log.h"

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

http::AccessOptions access_options(const Settings& settings) {
  http::AccessOptions options;
  options.per_address = settings.rate_per_address;
  options.per_key = settings.rate_per_key;
  options.bad_keys = Rate::per(std::chrono::minutes(1), settings.bad_keys_per_minute, settings.bad_keys_per_minute);
  return options;
}

// A browser and a few that scrape: enough for them, whatever happens at the other listener.
constexpr std::size_t admin_connections_max = 256;

http::ServerOptions admin_options(const Settings& settings) {
  http::ServerOptions options = settings.server;
  options.address = settings.admin_address;
  options.port = settings.admin_port;
  options.connections_max = admin_connections_max;
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
  Parts(const Settings& settings, std::unique_ptr<Ground> under, Tiers opened, std::unique_ptr<KeyRing> ring)
      : ground(std::move(under)),
        keys(std::move(ring)),
        access(keys.get(), access_options(settings), ground->time),
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
        metrics(settings.server.threads),
        admin_metrics(settings.server.threads) {
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
    const bool consoles_elsewhere = !settings.admin_address.empty();
    const http::Router router(settings.value_bytes_max, ground->clock, &access, consoles_elsewhere);
    if (consoles_elsewhere) admin_api.emplace(http::Router(settings.value_bytes_max, ground->clock), *admin_handlers, true);
    const http::Handlers handlers{*store_handlers, *list_handlers, *batch_handlers, watch_handlers, *operation_handlers, *admin_handlers};
    api.emplace(router, handlers, chores(purges));
  }

  std::vector<http::MetricsSource> sources() {
    std::vector<http::MetricsSource> all = std::move(tiers.metrics);
    all.emplace_back([this](std::vector<prometheus::MetricFamily>& families) {
      add_access_metrics(access, keys.get(), families);
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

  // Both servers, the administration's first: its address is known to be usable when values are served.
  Result<void> listen(const Settings& settings) {
    if (admin_api) {
      auto started = http::Server::start(admin_options(settings), ground->loops, *admin_api, budget, admin_metrics);
      if (!started) return fail(std::move(started.error()).with_context("--admin-listen"));
      admin_server = std::move(*started);
    }
    auto started = http::Server::start(settings.server, ground->loops, *api, budget, metrics);
    if (!started) return fail(std::move(started.error()));
    server = std::move(*started);
    return {};
  }

  std::unique_ptr<Ground> ground;
  std::unique_ptr<KeyRing> keys;
  http::Access access;
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
  std::optional<http::AdminApi> admin_api;
  http::ServerMetrics admin_metrics;  // its own: what it is asked is no load of the service
  std::unique_ptr<http::Server> admin_server;
  std::unique_ptr<http::Server> server;
};

Result<std::unique_ptr<Node>> Node::start(const Settings& settings) {
  std::unique_ptr<KeyRing> keys;
  if (!settings.keys_file.empty()) {
    Result<std::unique_ptr<KeyRing>> opened = KeyRing::open(settings.keys_file);
    if (!opened) return fail(std::move(opened.error()).with_context("--keys"));
    keys = std::move(*opened);
  }
  auto ground = std::make_unique<Ground>(settings);
  Result<Tiers> tiers = open_for_server(settings, ground->loops, ground->time, ground->relay);
  if (!tiers) return fail(std::move(tiers.error()));
  auto parts = std::make_unique<Parts>(settings, std::move(ground), std::move(*tiers), std::move(keys));
  if (auto listening = parts->listen(settings); !listening) {
    end(*parts);
    return fail(std::move(listening.error()));
  }
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Node::~Node() { stop(std::chrono::milliseconds(0)); }

std::uint16_t Node::port() const noexcept { return parts_->server->port(); }

std::optional<std::uint16_t> Node::admin_port() const noexcept {
  return parts_->admin_server ? std::optional(parts_->admin_server->port()) : std::nullopt;
}

void Node::reload_keys(bool anyway) {
  KeyRing& keys = *parts_->keys;
  Result<bool> read = true;
  if (anyway) {
    if (Result<void> done = keys.reload(); !done) read = fail(std::move(done.error()));
  } else {
    read = keys.reload_if_changed();
  }
  if (!read) {
    log::error("the keys file cannot be used; the keys read before stay in force", {{"event", "access"}, {"reason", read.error().message}});
  } else if (*read) {
    log::info("keys read", {{"event", "access"}, {"keys", keys.figures().keys}});
  }
}

void Node::drain() {
  parts_->admin_handlers->set_stopping();
  parts_->server->drain();
}

std::size_t Node::stop(std::chrono::milliseconds grace) {
  if (!parts_) return 0;
  parts_->admin_handlers->set_stopping();
  const std::size_t cut = parts_->server->stop(grace);
  if (parts_->admin_server) parts_->admin_server->stop(std::chrono::milliseconds(0));
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
