#include "service/reader.h"

#include <algorithm>
#include <utility>

#include "service/place.h"

namespace armazem {
namespace {

void count(std::atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

Task<Result<ReadAnswer>> Reader::read(const Key& key, ReadRequest request, Deadline deadline) {
  if (cache_ != nullptr)
    return request.strong ? read_strong(key, request, deadline) : read_cached(key, request, deadline);
  if (options_.writes_may_be_pending && !request.at_least.is_nil()) return read_strong(key, request, deadline);
  Task<Found> found = store_.get(key, deadline);
  if (found.ready()) return Task<Result<ReadAnswer>>(live_only(found.take_ready()));
  return finish(std::move(found));
}

Task<Result<ReadAnswer>> Reader::finish(Task<Found> pending) { co_return live_only(co_await std::move(pending)); }

Task<Result<ReadAnswer>> Reader::read_cached(const Key& key, ReadRequest request, Deadline deadline) {
  Result<CacheLookup> looked_up = co_await cache_->get(key, cache_deadline(deadline));
  if (!looked_up) {
    count(counters_.cache_errors);
  } else if (!looked_up->record) {
    count(counters_.misses);
  } else if (!new_enough(looked_up->record, request.at_least)) {
    count(counters_.too_old);
  } else {
    Record& record = *looked_up->record;
    ReadAnswer answer{std::nullopt, true, looked_up->age_ms};
    count(record.tombstone ? counters_.negative_hits : counters_.hits);
    if (is_live(record)) answer.record = std::move(record);
    co_return answer;
  }
  const std::optional<Lease> lease = looked_up ? looked_up->lease : std::nullopt;
  const auto load_once = [&] { return load(key, lease, deadline); };
  Found found = co_await flights_.run(key, load_once);
  // The read that was joined may have begun before the version was written, or the version is still on its way.
  const bool again = found && !new_enough(*found, request.at_least);
  if (again) found = co_await read_at_least(key, request.at_least, deadline);
  co_return live_only(std::move(found));
}

Task<Result<ReadAnswer>> Reader::read_strong(const Key& key, ReadRequest request, Deadline deadline) {
  Found found = co_await read_at_least(key, request.at_least, deadline);
  co_return live_only(std::move(found));
}

Task<Reader::Found> Reader::read_at_least(const Key& key, Version at_least, Deadline deadline) {
  const MonotonicTime give_up = std::min(deadline.time(), time_.now() + options_.session_wait);
  while (true) {
    const MonotonicTime asked = time_.now();
    Found found = co_await read_store(key, deadline);
    if (!found) co_return found;
    if (cache_ != nullptr) co_await repair(key, *found, asked, deadline);
    if (!options_.writes_may_be_pending || new_enough(*found, at_least)) co_return found;
    if (time_.now() + options_.session_poll >= give_up) break;
    co_await sleep_until(time_.now() + options_.session_poll);
  }
  count(counters_.not_yet_visible);
  co_return fail(ErrorCode::not_yet_visible, "the write with that version has not been applied yet");
}

Task<Reader::Found> Reader::load(const Key& key, std::optional<Lease> lease, Deadline deadline) {
  Found found = co_await read_store(key, deadline);
#ifdef ARMAZEM_PLANTED_BUGS
  if (planted(Bug::fill_from_stale_read)) std::swap(found, read_before_.try_emplace(key.text(), found).first->second);
#endif
  if (!found || !lease) co_return found;
  const Result<bool> filled = co_await cache_->fill(key, *found, *lease, cache_deadline(deadline));
  if (!filled) {
    count(counters_.cache_errors);
  } else {
    count(*filled ? counters_.fills : counters_.fills_refused);
  }
  co_return found;
}

Task<Reader::Found> Reader::read_store(const Key& key, Deadline deadline) {
  const Place place(store_reads_now_);
  if (place.before() >= options_.store_reads_max) {
    count(counters_.refused);
    co_return fail(ErrorCode::overloaded, "too many reads are waiting for the store");
  }
  count(counters_.store_reads);
  co_return co_await store_.get(key, deadline);
}

// Only ever replaces what is there: had the entry been lost meanwhile, this record might be older than what was in it.
Task<void> Reader::repair(const Key& key, const std::optional<Record>& record, MonotonicTime since, Deadline deadline) {
  if (!record) co_return;
  std::vector<CacheWrite> writes;
  writes.push_back({key, *record, CacheWrite::Mode::replace_only, since});
  const Result<void> done = co_await cache_->write(writes, cache_deadline(deadline));
  if (!done) count(counters_.cache_errors);
}

Result<ReadAnswer> Reader::live_only(Found found) const {
  if (!found) return fail(std::move(found.error()));
  ReadAnswer answer;
  if (*found && is_live(**found)) answer.record = std::move(*found);
  return answer;
}

bool Reader::new_enough(const std::optional<Record>& record, const Version& at_least) const noexcept {
  if (at_least.is_nil()) return true;
  if (record) return record->version >= at_least;
  return at_least.ms() + static_cast<std::uint64_t>(options_.retention.count()) < time_.wall_ms();
}

// The wall clock is only asked when something depends on it.
bool Reader::is_live(const Record& record) const noexcept {
  return !record.tombstone && (!record.expires_at_ms || record.live_at(time_.wall_ms()));
}

Deadline Reader::cache_deadline(Deadline deadline) const noexcept {
  return Deadline::at(std::min(deadline.time(), time_.now() + options_.cache_timeout));
}

Reader::Figures Reader::figures() const noexcept {
  const auto read = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  const Counters& c = counters_;
  return {read(c.hits),  read(c.negative_hits), read(c.misses),      read(c.too_old), read(c.cache_errors),
          read(c.fills), read(c.fills_refused), read(c.store_reads), read(c.refused), read(c.not_yet_visible)};
}

}  // namespace armazem
