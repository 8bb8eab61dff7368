// Figures of the cluster's tiers, as Prometheus families.
#pragma once

#include <vector>

#include "adapters/postgres/figures.h"
#include "adapters/rabbitmq/figures.h"
#include "adapters/redis/figures.h"

namespace prometheus {
struct MetricFamily;
}

namespace armazem {

void add_postgres_metrics(const PostgresFigures& figures, std::vector<prometheus::MetricFamily>& all);
void add_redis_metrics(const RedisFigures& figures, std::vector<prometheus::MetricFamily>& all);
void add_publisher_metrics(const RabbitmqFigures& figures, std::vector<prometheus::MetricFamily>& all);
void add_consumer_metrics(const RabbitmqFigures& figures, std::vector<prometheus::MetricFamily>& all);

}  // namespace armazem
