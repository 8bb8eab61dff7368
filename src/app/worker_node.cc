#include "app/worker_node.h"

#include <prometheus/metric_family.h>

#include <latch>
#include <optional>
#include <utility>

#include "app/purge_settings.h"
#include "app/service_metrics.h"
#include "app/system_time.h"
#include "app/tiers.h"
#include "core/hybrid_clock.h"
#include "core/task_scope.h"
#include "http/admin_api.h"
#include "http/byte_budget.h"
#include "http/server.h"
#include "net/loop_group.h"
#include "service/applier.h"
#include "worker/worker.h"

namespace armazem {
namespace {

constexpr std::chrono::milliseconds chore_interval{200};

WorkerOptions worker_options(const Settings& settings) {
  WorkerOptions options;
  options.lanes_max = settings.lanes_max;
  options.retention = settings.retention;
  options.retention_margin = std::min<std::chrono::milliseconds>(options.retention_margin, settings.retention / 10);
  options.store_timeout = settings.store_timeout;
  return options;
}

}  // namespace

// In the order of construction; destroyed from the last to the first.
struct WorkerNode::Parts {
  explicit Parts(const Settings& settings) : time(settings.test_clock_offset), loops("worker", settings.server.threads) {}

  void put_together(const Settings& settings, Tiers opened) {
    tiers = std::move(opened);
    applier.emplace(*tiers.store, tiers.cache.get(), time);
    worker.emplace(*tiers.consumer, *applier, *tiers.store, time, worker_options(settings));
    purger.emplace(*tiers.store, time, purge_options(settings));
    budget.emplace(settings.server.inflight_body_bytes_max);
    metrics.emplace(settings.server.threads);
    std::vector<http::MetricsSource> sources = std::move(tiers.metrics);
    sources.emplace_back([this](std::vector<prometheus::MetricFamily>& families) {
      add_worker_metrics(*worker, tiers.consumer->depth(), applier->cache_failures(), families);
      add_purge_metrics(purger->removed(), families);
    });
    admin.emplace(health_checks(tiers), *metrics, *budget, std::move(sources));
    api.emplace(http::Router(settings.value_bytes_max, clock), *admin);
  }

  void start() { start_root(loops[0], live(ended)); }

  // The root of everything that is not a connection.
  Task<void> live(std::shared_ptr<std::latch> done) {
    co_await resume_on(loops[0]);
    {
      TaskScope scope(loops[0]);
      scope.spawn(purge_when_due(scope));
      co_await worker->run();
      stopping.store(true);
      co_await scope.join();
    }
    done->count_down();
  }

  Task<void> purge_when_due(TaskScope& scope) {
    while (!stopping.load()) {
      if (purger->due(time.now())) scope.spawn(purger->run());
      co_await sleep_until(time.now() + chore_interval);
    }
  }

  SystemTime time;
  HybridClock clock{time};
  net::LoopGroup loops;
  Tiers tiers;
  std::optional<Applier> applier;
  std::optional<Worker> worker;
  std::optional<Purger> purger;
  std::optional<http::ByteBudget> budget;
  std::optional<http::ServerMetrics> metrics;
  std::optional<http::AdminHandlers> admin;
  std::optional<http::AdminApi> api;
  std::unique_ptr<http::Server> server;
  std::atomic<bool> stopping{false};
  const std::shared_ptr<std::latch> ended = std::make_shared<std::latch>(1);
};

Result<std::unique_ptr<WorkerNode>> WorkerNode::start(const Settings& settings) {
  auto parts = std::make_unique<Parts>(settings);
  Result<Tiers> tiers = open_for_worker(settings, parts->loops, parts->time);
  if (!tiers) return fail(std::move(tiers.error()));
  parts->put_together(settings, std::move(*tiers));
  Result<std::unique_ptr<http::Server>> server =
      http::Server::start(settings.server, parts->loops, *parts->api, *parts->budget, *parts->metrics);
  if (!server) return fail(std::move(server.error()));
  parts->server = std::move(*server);
  parts->start();
  return std::unique_ptr<WorkerNode>(new WorkerNode(std::move(parts)));
}

WorkerNode::WorkerNode(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

WorkerNode::~WorkerNode() { stop(); }

std::uint16_t WorkerNode::port() const noexcept { return parts_->server->port(); }

void WorkerNode::stop() {
  if (!parts_) return;
  parts_->admin->set_stopping();
  parts_->worker->stop();
  parts_->ended->wait();
  parts_->server->stop(std::chrono::milliseconds(0));
  parts_.reset();
}

}  // namespace armazem
