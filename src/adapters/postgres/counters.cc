#include "adapters/postgres/counters.h"

#include <algorithm>

namespace armazem {
namespace pg {
namespace {

std::uint64_t value(const Counter& counter) noexcept { return counter.load(std::memory_order_relaxed); }
double seconds(const Counter& ns) noexcept { return static_cast<double>(value(ns)) / 1e9; }

}  // namespace

void Counters::add(const Outcome& outcome) noexcept {
  count(mutations);
  count(by_verdict[static_cast<std::size_t>(outcome.verdict)]);
  if (outcome.verdict != Verdict::applied) return;
  count(outcome.replayed ? replayed : by_effect[static_cast<std::size_t>(outcome.effect)]);
}

PostgresFigures Counters::read() const noexcept {
  PostgresFigures figures;
  figures.transactions = value(transactions);
  figures.transactions_unchanged = value(transactions_unchanged);
  figures.rows_inserted = value(rows_inserted);
  figures.rows_updated = value(rows_updated);
  figures.transaction_seconds = seconds(transaction_ns);
  figures.mutations = value(mutations);
  std::ranges::transform(by_verdict, figures.by_verdict.begin(), value);
  std::ranges::transform(by_effect, figures.by_effect.begin(), value);
  figures.replayed = value(replayed);
  figures.retries = value(retries);
  figures.batches_halved = value(batches_halved);
  figures.commits_ambiguous = value(commits_ambiguous);
  std::ranges::transform(failures, figures.failures.begin(), value);
  figures.gets = value(gets);
  figures.get_misses = value(get_misses);
  figures.get_rounds = value(get_rounds);
  figures.get_round_seconds = seconds(get_round_ns);
  figures.scans = value(scans);
  figures.purged = value(purged);
  figures.refused_overloaded = value(refused_overloaded);
  figures.timed_out = value(timed_out);
  figures.connects = value(connects);
  figures.connect_failures = value(connect_failures);
  figures.connections_open = value(connections_open);
  figures.writes_waiting = value(writes_waiting);
  figures.reads_waiting = value(reads_waiting);
  return figures;
}

}  // namespace pg

std::string_view PostgresFigures::meaning_name(std::size_t index) noexcept {
  static_assert(meanings == pg::meanings);
  return pg::to_string(static_cast<pg::Meaning>(index));
}

}  // namespace armazem
