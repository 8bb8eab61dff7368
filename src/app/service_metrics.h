// Figures of the use cases and of the worker, as Prometheus families.
#pragma once

#include <cstdint>
#include <vector>

#include "service/batcher.h"
#include "service/change_hub.h"
#include "service/enqueuer.h"
#include "service/reader.h"
#include "worker/worker.h"

namespace prometheus {
struct MetricFamily;
}

namespace armazem {

using Families = std::vector<prometheus::MetricFamily>;

void add_batcher_metrics(const Batcher::Figures& batcher, Families& all);
void add_clock_metrics(double lead_seconds, Families& all);
void add_purge_metrics(std::uint64_t removed, Families& all);
void add_watch_metrics(const ChangeHub::Figures& hub, Families& all);
void add_reader_metrics(const Reader::Figures& reader, std::uint64_t cache_failures, Families& all);
void add_enqueuer_metrics(const Enqueuer::Figures& enqueuer, Families& all);
void add_worker_metrics(const Worker& worker, std::uint64_t queue_depth, std::uint64_t cache_failures, Families& all);

}  // namespace armazem
