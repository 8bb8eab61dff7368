#include "service/applier.h"

#include <utility>

#include "core/planted.h"

namespace armazem {
namespace {

Record record_of(const Mutation& mutation, Version version) {
  Record record;
  record.version = version;
  record.tombstone = mutation.kind == Mutation::Kind::remove;
  if (!record.tombstone) {
    record.value = mutation.value;
    record.expires_at_ms = mutation.expires_at_ms;
  }
  return record;
}

// What the cache has to learn: for each mutation that is now the record's state, that state. One that was overtaken is the
// business of whoever overtook it. One that had been applied earlier (a redelivery: perhaps its worker died before it told
// the cache) may stand under another stamp than this copy's, so it only removes what is older.
std::vector<CacheWrite> cache_writes(std::vector<CacheWrite> states, const std::vector<Outcome>& outcomes) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Outcome& outcome = outcomes[i];
    if (outcome.verdict != Verdict::applied) continue;
    if (outcome.replayed) {
      states[i].mode = CacheWrite::Mode::remove_older;
      states[i].record.version = outcome.current;
    } else if (outcome.version != outcome.current) {
      continue;
    }
    if (kept != i) states[kept] = std::move(states[i]);
    ++kept;
  }
  states.erase(states.begin() + static_cast<std::ptrdiff_t>(kept), states.end());
  return states;
}

}  // namespace

Task<Result<std::vector<Outcome>>> Applier::apply(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline) {
  if (cache_ == nullptr) return store_.apply(std::move(mutations), guard, deadline);
  return apply_and_cache(std::move(mutations), guard, deadline);
}

Task<Result<std::vector<Outcome>>> Applier::apply_and_cache(std::vector<Mutation> mutations, ApplyGuard guard,
                                                            Deadline deadline) {
  std::vector<CacheWrite> states;
  states.reserve(mutations.size());
  const MonotonicTime since = time_.now();
  for (const Mutation& mutation : mutations) {
    states.push_back({mutation.key, record_of(mutation, mutation.version), CacheWrite::Mode::put, since});
  }
  if (planted(Bug::cache_before_store)) co_await tell_cache(states);
  Result<std::vector<Outcome>> outcomes = co_await store_.apply(std::move(mutations), guard, deadline);
  if (!outcomes) co_return outcomes;
  std::vector<CacheWrite> writes = cache_writes(std::move(states), *outcomes);
  if (!writes.empty()) co_await tell_cache(std::move(writes));
  co_return outcomes;
}

Task<void> Applier::tell_cache(std::vector<CacheWrite> writes) {
  const Deadline deadline = Deadline::after(time_.now(), options_.cache_timeout);
  for (int tries = 0; tries < 2; ++tries) {
    const Result<void> told = co_await cache_->write(writes, deadline);
    if (told) co_return;
  }
  cache_failures_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace armazem
