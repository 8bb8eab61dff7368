// /metrics: everything that is counted, as Prometheus text (by prometheus-cpp).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
struct MetricFamily;
}

namespace armazem::http {

class ByteBudget;
class ServerMetrics;

// Adds families of its own; called at each scrape, on a loop, so it must not block.
using MetricsSource = std::function<void(std::vector<prometheus::MetricFamily>&)>;

// The text of a scrape: requests, connections, process and build figures, then what the sources add.
[[nodiscard]] std::string expose(const ServerMetrics& server, const ByteBudget& budget, const std::vector<MetricsSource>& sources);

// Helpers for sources.
[[nodiscard]] prometheus::MetricFamily counter_family(std::string name, std::string help, double value);
[[nodiscard]] prometheus::MetricFamily gauge_family(std::string name, std::string help, double value);

}  // namespace armazem::http
