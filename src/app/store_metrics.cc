#include "app/store_metrics.h"

#include <prometheus/metric_family.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>

#include "core/apply.h"
#include "http/exposition.h"

namespace armazem {
namespace {

using http::counter_family;
using http::gauge_family;
using prometheus::ClientMetric;
using prometheus::MetricFamily;

double number(std::uint64_t value) { return static_cast<double>(value); }

// One counter per name, told apart by one label.
template <std::size_t n>
MetricFamily labelled(std::string name, std::string help, const char* label, const std::array<std::string_view, n>& names,
                      const std::array<std::uint64_t, n>& values) {
  MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = prometheus::MetricType::Counter;
  for (std::size_t i = 0; i < n; ++i) {
    ClientMetric metric;
    metric.label = {{label, std::string(names[i])}};
    metric.counter.value = number(values[i]);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily sync_seconds(const SyncHistogram& sync) {
  MetricFamily family;
  family.name = "armazem_store_sync_seconds";
  family.help = "Time to write and sync one batch.";
  family.type = prometheus::MetricType::Histogram;
  ClientMetric metric;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < sync.counts.size(); ++i) {
    cumulative += sync.counts[i];
    const bool last = i == SyncHistogram::bounds_seconds.size();
    metric.histogram.bucket.push_back({cumulative, last ? std::numeric_limits<double>::infinity() : SyncHistogram::bounds_seconds[i]});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = sync.sum_seconds;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

void add_store_metrics(const RocksdbFigures& f, std::vector<MetricFamily>& all) {
  constexpr std::array<std::string_view, verdict_count> verdicts{"applied", "condition_failed", "superseded", "indeterminate", "too_old", "refused"};
  constexpr std::array<std::string_view, 4> effects{"created", "replaced", "deleted", "nothing_to_delete"};
  all.push_back(counter_family("armazem_store_batches_total", "Batches written, one sync each.", number(f.batches)));
  all.push_back(counter_family("armazem_store_mutations_total", "Mutations decided.", number(f.mutations)));
  all.push_back(labelled("armazem_store_verdicts_total", "Mutations by verdict.", "verdict", verdicts, f.by_verdict));
  all.push_back(labelled("armazem_store_effects_total", "Freshly applied mutations by effect.", "effect", effects, f.by_effect));
  all.push_back(counter_family("armazem_store_replayed_total", "Mutations that had been applied before.", number(f.replayed)));
  all.push_back(sync_seconds(f.sync));
  all.push_back(counter_family("armazem_store_write_failures_total", "Batches that failed with an unknown outcome.", number(f.write_failures)));
  all.push_back(counter_family("armazem_store_recoveries_total", "Times the database was brought back after a failure.", number(f.recoveries)));
  all.push_back(counter_family("armazem_store_gets_total", "Reads by key.", number(f.gets)));
  all.push_back(counter_family("armazem_store_get_misses_total", "Reads by key that found no record.", number(f.get_misses)));
  all.push_back(counter_family("armazem_store_reads_handed_over_total", "Reads that had to go to a reader thread.", number(f.reads_handed_over)));
  all.push_back(counter_family("armazem_store_reads_refused_total", "Reads refused because too many were waiting.", number(f.reads_refused)));
  all.push_back(gauge_family("armazem_store_block_cache_bytes", "Memory used by the block cache, write buffers included.", number(f.block_cache_bytes)));
  all.push_back(gauge_family("armazem_store_block_cache_max_bytes", "Bound of the block cache.", number(f.block_cache_bytes_max)));
  all.push_back(gauge_family("armazem_store_memtable_bytes", "Memory used by write buffers.", number(f.memtable_bytes)));
  all.push_back(gauge_family("armazem_store_live_data_bytes", "Estimated size of the data on disk.", number(f.live_data_bytes)));
  all.push_back(gauge_family("armazem_store_keys", "Estimated number of records, tombstones included.", number(f.keys)));
  all.push_back(gauge_family("armazem_store_free_bytes", "Free space on the disk.", number(f.free_bytes)));
  all.push_back(gauge_family("armazem_store_readers_waiting", "Reads waiting for a reader thread.", number(f.readers_waiting)));
  all.push_back(gauge_family("armazem_store_healthy", "1 when writes are accepted.", f.healthy ? 1 : 0));
}

}  // namespace armazem
