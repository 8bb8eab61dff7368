#include "adapters/rocksdb/counters.h"

#include <algorithm>

namespace armazem::rocks {
namespace {

std::uint64_t value(const Counter& counter) noexcept { return counter.load(std::memory_order_relaxed); }

}  // namespace

void WriteCounters::add(const Outcome& outcome) noexcept {
  count(mutations);
  count(by_verdict[static_cast<std::size_t>(outcome.verdict)]);
  if (outcome.verdict != Verdict::applied) return;
  count(outcome.replayed ? replayed : by_effect[static_cast<std::size_t>(outcome.effect)]);
}

void WriteCounters::add_sync(std::chrono::nanoseconds took) noexcept {
  const double seconds = std::chrono::duration<double>(took).count();
  const auto& bounds = SyncHistogram::bounds_seconds;
  const auto bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
  count(sync[static_cast<std::size_t>(bucket)]);
  count(sync_ns, static_cast<std::uint64_t>(took.count()));
  count(batches);
}

void WriteCounters::read_into(RocksdbFigures& figures) const noexcept {
  figures.batches = value(batches);
  figures.mutations = value(mutations);
  std::ranges::transform(by_verdict, figures.by_verdict.begin(), value);
  std::ranges::transform(by_effect, figures.by_effect.begin(), value);
  figures.replayed = value(replayed);
  figures.purged = value(purged);
  figures.write_failures = value(failures);
  figures.recoveries = value(recoveries);
  std::ranges::transform(sync, figures.sync.counts.begin(), value);
  figures.sync.sum_seconds = static_cast<double>(value(sync_ns)) / 1e9;
}

}  // namespace armazem::rocks
