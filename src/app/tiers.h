// What a process works with: its store and, in a cluster, cache and queue. tiers.cc is the only file that names concrete
// adapters.
#pragma once

#include <memory>
#include <vector>

#include "app/settings.h"
#include "core/time_source.h"
#include "http/admin_handlers.h"
#include "http/exposition.h"
#include "net/loop_group.h"
#include "ports/cache.h"
#include "ports/changes.h"
#include "ports/dead_letters.h"
#include "ports/queue.h"
#include "ports/store.h"
#include "runtime/thread_pool.h"

namespace armazem {

// Closed from the last member to the first.
struct Tiers {
  std::unique_ptr<ThreadPool> own_executor;  // of a store that has none
  std::unique_ptr<Store> store;
  ChangeLog* changes = nullptr;              // of the store
  Executor* write_executor = nullptr;        // where the batcher's loop runs best
  std::unique_ptr<Cache> cache;              // may be null
  std::unique_ptr<QueuePublisher> publisher; // may be null
  std::unique_ptr<QueueConsumer> consumer;   // of a worker
  std::vector<http::MetricsSource> metrics;
};

// For `armazem serve`. A tier of a cluster that cannot be reached yet is no error: readiness says so, and it is tried again.
// `replies`, `loops` and `time` must outlive the tiers.
[[nodiscard]] Result<Tiers> open_for_server(const Settings& settings, net::LoopGroup& loops, const TimeSource& time,
                                            ReplySink& replies);
// For `armazem worker`: needs a shared store and a queue.
[[nodiscard]] Result<Tiers> open_for_worker(const Settings& settings, net::LoopGroup& loops, const TimeSource& time);

// For `armazem migrate`: says on standard output what it did.
[[nodiscard]] Result<void> migrate(const Settings& settings);
// For `armazem backup`, of the embedded store only: says on standard output what it did.
[[nodiscard]] Result<void> back_up_data(const Settings& settings, const std::string& to);
// For `armazem deadletters`.
[[nodiscard]] Result<std::unique_ptr<DeadLetterBox>> open_dead_letters(const Settings& settings);

// Readiness by what there is.
[[nodiscard]] std::vector<http::HealthCheck> health_checks(const Tiers& tiers);

}  // namespace armazem
