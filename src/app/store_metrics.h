// Figures of the store and of the use cases, as Prometheus families.
#pragma once

#include <cstdint>
#include <vector>

#include "adapters/rocksdb/figures.h"
#include "service/batcher.h"

namespace prometheus {
struct MetricFamily;
}

namespace armazem {

void add_store_metrics(const RocksdbFigures& figures, std::vector<prometheus::MetricFamily>& all);
void add_service_metrics(const Batcher::Figures& batcher, std::uint64_t purged, double clock_lead_seconds,
                         std::vector<prometheus::MetricFamily>& all);

}  // namespace armazem
