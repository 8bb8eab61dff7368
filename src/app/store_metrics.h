// Figures of the embedded store, as Prometheus families.
#pragma once

#include <vector>

#include "adapters/rocksdb/figures.h"

namespace prometheus {
struct MetricFamily;
}

namespace armazem {

void add_store_metrics(const RocksdbFigures& figures, std::vector<prometheus::MetricFamily>& all);

}  // namespace armazem
