#include "adapters/memory/memory_cache.h"

#include <algorithm>

namespace armazem {

std::optional<Error> MemoryCache::refusal(Deadline deadline) const {
  if (broken_) return broken_;
  if (deadline.expired(time_.now())) return Error{ErrorCode::deadline_exceeded, "the cache was not asked in time"};
  return std::nullopt;
}

MemoryCache::Slot* MemoryCache::find(const Key& key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return nullptr;
  if (found->second.ends > time_.now()) return found->second.epoch == epoch_ ? &found->second : nullptr;
  slots_.erase(found);
  return nullptr;
}

void MemoryCache::set(const Key& key, std::optional<Slot> slot) {
  const auto found = slots_.find(key);
  std::optional<Slot> before;
  if (found != slots_.end()) before = found->second;
  if (!before && !slot) return;
  undo_.emplace_back(key, std::move(before));
  if (undo_.size() > undo_max) undo_.pop_front();
  if (slot) {
    slots_.insert_or_assign(key, std::move(*slot));
  } else {
    slots_.erase(found);
  }
}

std::optional<MemoryCache::Slot> MemoryCache::entry(const std::optional<Record>& record, Granted since) const {
  Slot slot;
  slot.epoch = epoch_;
  slot.stored_wall_ms = since.wall_ms;
  slot.ends = since.at + options_.ttl;
  slot.record.tombstone = true;
  if (record) slot.record = *record;
  slot.record.history = {};
  if (slot.record.value.bytes.size() > options_.entry_bytes_max) return std::nullopt;
  if (slot.record.expires_at_ms) {
    const std::uint64_t now_ms = time_.wall_ms();
    if (*slot.record.expires_at_ms <= now_ms) return std::nullopt;
    const auto left = std::min<std::uint64_t>(*slot.record.expires_at_ms - now_ms,
                                              static_cast<std::uint64_t>(options_.ttl.count()));
    slot.ends = std::min(slot.ends, time_.now() + std::chrono::milliseconds(left));
  }
  if (slot.ends <= time_.now()) return std::nullopt;
  return slot;
}

Task<Result<CacheLookup>> MemoryCache::get(const Key& key, Deadline deadline) {
  using Answer = Task<Result<CacheLookup>>;
  const MutexLock lock(mutex_);
  if (auto refused = refusal(deadline)) return Answer(Result<CacheLookup>(fail(std::move(*refused))));
  CacheLookup lookup;
  const Slot* const slot = find(key);
  if (slot != nullptr && slot->lease) return Answer(Result<CacheLookup>(std::move(lookup)));
  if (slot != nullptr) {
    const std::uint64_t now_ms = time_.wall_ms();
    lookup.record = slot->record;
    lookup.age_ms = now_ms - std::min(now_ms, slot->stored_wall_ms);
    return Answer(Result<CacheLookup>(std::move(lookup)));
  }
  const MonotonicTime now = time_.now();
  Slot leased;
  leased.lease = Lease{++last_token_};
  leased.epoch = epoch_;
  leased.ends = now + options_.lease_ttl;
  lookup.lease = leased.lease;
  set(key, std::move(leased));
  std::erase_if(granted_, [&](const auto& one) { return one.second.at + options_.lease_ttl <= now; });
  granted_[last_token_] = {time_.wall_ms(), now};
  return Answer(Result<CacheLookup>(std::move(lookup)));
}

Task<Result<bool>> MemoryCache::fill(const Key& key, const std::optional<Record>& record, Lease lease,
                                     Deadline deadline) {
  using Answer = Task<Result<bool>>;
  const MutexLock lock(mutex_);
  if (auto refused = refusal(deadline)) return Answer(Result<bool>(fail(std::move(*refused))));
  const Slot* const slot = find(key);
  const bool held = slot != nullptr && slot->lease && slot->lease->token == lease.token;
  const auto granted = granted_.find(lease.token);
  if (!held || granted == granted_.end()) return Answer(Result<bool>(false));
  auto filled = entry(record, granted->second);
  if (!filled) return Answer(Result<bool>(false));
  set(key, std::move(filled));
  return Answer(Result<bool>(true));
}

Task<Result<void>> MemoryCache::write(std::span<const CacheWrite> writes, Deadline deadline) {
  using Answer = Task<Result<void>>;
  const MutexLock lock(mutex_);
  if (auto refused = refusal(deadline)) return Answer(Result<void>(fail(std::move(*refused))));
  for (const CacheWrite& one : writes) write_one(one);
  return Answer(Result<void>());
}

void MemoryCache::write_one(const CacheWrite& write) {
  const Slot* const slot = find(write.key);
  const bool has_entry = slot != nullptr && !slot->lease;
  if (has_entry && slot->record.version >= write.record.version) return;
  std::optional<Slot> stored;
  const bool wanted = write.mode == CacheWrite::Mode::put || (write.mode == CacheWrite::Mode::replace_only && has_entry);
  if (wanted) {
    const MonotonicTime now = time_.now();
    const std::uint64_t wall_ms = time_.wall_ms();
    const auto age_ms = static_cast<std::uint64_t>(write.age(now).count());
    stored = entry(write.record, {wall_ms - std::min(wall_ms, age_ms), std::min(now, write.since)});
  }
  set(write.key, std::move(stored));
}

CacheHealth MemoryCache::health() const {
  const MutexLock lock(mutex_);
  if (broken_) return {false, broken_->message};
  return {true, "memory"};
}

void MemoryCache::break_down(Error error) {
  const MutexLock lock(mutex_);
  broken_ = std::move(error);
}

void MemoryCache::recover() {
  const MutexLock lock(mutex_);
  broken_.reset();
}

void MemoryCache::evict(const Key& key) {
  const MutexLock lock(mutex_);
  set(key, std::nullopt);
}

void MemoryCache::fail_over(std::size_t lost) {
  const MutexLock lock(mutex_);
  for (; lost > 0 && !undo_.empty(); --lost) {
    auto& [key, before] = undo_.back();
    if (before) {
      slots_.insert_or_assign(key, std::move(*before));
    } else {
      slots_.erase(key);
    }
    undo_.pop_back();
  }
  undo_.clear();
  ++epoch_;
}

std::size_t MemoryCache::size() const {
  const MutexLock lock(mutex_);
  return slots_.size();
}

}  // namespace armazem
