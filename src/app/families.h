// Short ways to write Prometheus families.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/histogram.h"

namespace armazem {

struct LabelledValue {
  std::string_view label;
  std::uint64_t value = 0;
};

// One family, told apart by one label.
inline prometheus::MetricFamily labelled_counter(std::string name, std::string help, const char* label,
                                                 const std::vector<LabelledValue>& values) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Counter;
  for (const LabelledValue& one : values) {
    prometheus::ClientMetric metric;
    metric.label = {{label, std::string(one.label)}};
    metric.counter.value = static_cast<double>(one.value);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

inline prometheus::MetricFamily histogram_family(std::string name, std::string help, const DurationHistogram& histogram) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Histogram;
  prometheus::ClientMetric metric;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= DurationHistogram::bounds_seconds.size(); ++i) {
    cumulative += histogram.count(i);
    const bool last = i == DurationHistogram::bounds_seconds.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : DurationHistogram::bounds_seconds[i];
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = histogram.sum_seconds();
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace armazem
