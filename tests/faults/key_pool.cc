#include "faults/key_pool.h"

namespace armazem::faults {
namespace {

constexpr int operations_per_key = 120;
constexpr int operations_per_retry_key = 40;
constexpr int writes_per_retry_key = 8;  // core/limits.h: history_entries_min
constexpr int unknown_per_key = 10;

}  // namespace

KeyPool::KeyPool(Sizes sizes) : sizes_(sizes) {
  const auto add = [&](std::size_t count, KeyUse use) {
    for (std::size_t each = 0; each < count; ++each) {
      slots_.push_back({});
      slots_.back().use = use;
      renew(slots_.back());
    }
  };
  add(sizes.hot, KeyUse::hot);
  add(sizes.slow, KeyUse::slow);
  add(sizes.retry, KeyUse::retry);
}

void KeyPool::renew(Slot& slot) {
  slot.key = next_key_++;
  slot.operations_left = slot.use == KeyUse::retry ? operations_per_retry_key : operations_per_key;
  slot.writes_left = slot.use == KeyUse::retry ? writes_per_retry_key : operations_per_key;
  slot.unknown_left = unknown_per_key;
  slot.newest = {};
}

std::size_t KeyPool::pick(std::mt19937_64& random) const {
  const auto of = [&](std::size_t first, std::size_t count) { return first + random() % count; };
  const std::uint64_t share = random() % 100;
  if (share < 40) return of(0, sizes_.hot);
  if (share < 85) return of(sizes_.hot, sizes_.slow);
  return of(sizes_.hot + sizes_.slow, sizes_.retry);
}

Lease KeyPool::take(std::mt19937_64& random, bool wants_to_write) {
  const std::size_t at = pick(random);
  const std::scoped_lock lock(mutex_);
  Slot& slot = slots_[at];
  if (slot.operations_left == 0 || slot.unknown_left <= 0) renew(slot);
  --slot.operations_left;
  Lease lease{slot.key, slot.use, wants_to_write && slot.writes_left > 0, slot.newest, at};
  if (lease.may_write) --slot.writes_left;
  return lease;
}

void KeyPool::saw(const Lease& lease, const Version& version) {
  const std::scoped_lock lock(mutex_);
  Slot& slot = slots_[lease.slot];
  if (slot.key == lease.key && slot.newest < version) slot.newest = version;
}

void KeyPool::became_unknown(const Lease& lease) {
  const std::scoped_lock lock(mutex_);
  Slot& slot = slots_[lease.slot];
  if (slot.key == lease.key) --slot.unknown_left;
}

std::uint32_t KeyPool::keys() const {
  const std::scoped_lock lock(mutex_);
  return next_key_;
}

}  // namespace armazem::faults
