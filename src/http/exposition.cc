#include "http/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <utility>

#include "http/byte_budget.h"
#include "http/metrics.h"
#include "http/process_figures.h"
#include "http/server.h"
#include "runtime/build_info.h"

namespace armazem::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily result;
  result.name = std::move(name);
  result.help = std::move(help);
  result.type = type;
  return result;
}

void add_counter(MetricFamily& to, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  to.metric.push_back(std::move(metric));
}

Labels labels_of(std::size_t route, std::size_t method) {
  return {{"route", std::string(to_string(static_cast<Route>(route)))},
          {"method", std::string(to_string(static_cast<Method>(method)))}};
}

MetricFamily requests_total(const ServerMetrics& server) {
  MetricFamily result = family("armazem_http_requests_total", "Requests answered, by route, method and status.", MetricType::Counter);
  for (std::size_t r = 0; r < route_count; ++r) {
    for (std::size_t m = 0; m < method_count; ++m) {
      for (std::size_t s = 0; s < status_count; ++s) {
        std::uint64_t sum = 0;
        for (const auto& loop : server.loops()) sum += loop->requests[r][m][s].read();
        if (sum == 0) continue;
        Labels labels = labels_of(r, m);
        labels.push_back({"status", std::to_string(status_of_slot(s))});
        add_counter(result, std::move(labels), static_cast<double>(sum));
      }
    }
  }
  return result;
}

ClientMetric histogram_of(const ServerMetrics& server, std::size_t route, std::size_t method) {
  ClientMetric metric;
  metric.label = labels_of(route, method);
  std::uint64_t cumulative = 0;
  for (std::size_t b = 0; b <= latency_bounds.size(); ++b) {
    for (const auto& loop : server.loops()) cumulative += loop->latency[route][method].bucket(b);
    const double bound = b < latency_bounds.size() ? latency_bounds[b] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  for (const auto& loop : server.loops()) metric.histogram.sample_sum += loop->latency[route][method].sum_seconds();
  return metric;
}

MetricFamily request_duration(const ServerMetrics& server) {
  MetricFamily result = family("armazem_http_request_duration_seconds",
                               "Time from a request's complete headers to its answer.", MetricType::Histogram);
  for (std::size_t r = 0; r < route_count; ++r) {
    for (std::size_t m = 0; m < method_count; ++m) {
      ClientMetric metric = histogram_of(server, r, m);
      if (metric.histogram.sample_count > 0) result.metric.push_back(std::move(metric));
    }
  }
  return result;
}

MetricFamily rejected_total(const ServerMetrics& server) {
  MetricFamily result = family("armazem_http_rejected_total",
                               "Connections and requests turned away before a handler saw them, by reason.", MetricType::Counter);
  for (std::size_t i = 0; i < rejection_count; ++i) {
    std::uint64_t sum = 0;
    for (const auto& loop : server.loops()) sum += loop->rejected[i].read();
    add_counter(result, {{"reason", std::string(to_string(static_cast<Rejection>(i)))}}, static_cast<double>(sum));
  }
  return result;
}

std::uint64_t accepted(const ServerMetrics& server) {
  std::uint64_t sum = 0;
  for (const auto& loop : server.loops()) sum += loop->accepted.read();
  return sum;
}

MetricFamily build_info() {
  MetricFamily result = family("armazem_build_info", "Always 1; version and commit are in the labels.", MetricType::Gauge);
  ClientMetric metric;
  metric.label = {{"version", std::string(build::version)}, {"commit", std::string(build::commit)}};
  metric.gauge.value = 1;
  result.metric.push_back(std::move(metric));
  return result;
}

void add_process(std::vector<MetricFamily>& all) {
  const ProcessFigures process = read_process_figures();
  all.push_back(counter_family("process_cpu_seconds_total", "User and system CPU time spent.", process.cpu_seconds));
  all.push_back(gauge_family("process_resident_memory_bytes", "Resident memory.", process.resident_bytes));
  all.push_back(gauge_family("process_virtual_memory_bytes", "Virtual memory.", process.virtual_bytes));
  all.push_back(gauge_family("process_open_fds", "Open file descriptors.", process.open_fds));
  all.push_back(gauge_family("process_max_fds", "Bound on open file descriptors.", process.max_fds));
  all.push_back(gauge_family("process_start_time_seconds", "Start, in seconds since the Unix epoch.", process.start_seconds));
}

}  // namespace

MetricFamily counter_family(std::string name, std::string help, double value) {
  MetricFamily result = family(std::move(name), std::move(help), MetricType::Counter);
  add_counter(result, {}, value);
  return result;
}

MetricFamily gauge_family(std::string name, std::string help, double value) {
  MetricFamily result = family(std::move(name), std::move(help), MetricType::Gauge);
  ClientMetric metric;
  metric.gauge.value = value;
  result.metric.push_back(std::move(metric));
  return result;
}

std::string expose(const ServerMetrics& server, const ByteBudget& budget, const std::vector<MetricsSource>& sources) {
  std::vector<MetricFamily> all;
  all.push_back(requests_total(server));
  all.push_back(request_duration(server));
  all.push_back(rejected_total(server));
  all.push_back(gauge_family("armazem_http_connections", "Open client connections.", static_cast<double>(server.connections())));
  all.push_back(counter_family("armazem_http_connections_total", "Client connections accepted.", static_cast<double>(accepted(server))));
  all.push_back(gauge_family("armazem_http_inflight_body_bytes", "Request bodies held in memory.", static_cast<double>(budget.used())));
  add_process(all);
  all.push_back(build_info());
  for (const MetricsSource& source : sources) source(all);
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace armazem::http
