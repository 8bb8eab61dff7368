#include "core/apply.h"

#include <algorithm>
#include <numeric>

#include "core/assert.h"
#include "core/planted.h"

namespace armazem {
namespace {

bool condition_holds(const Condition& condition, const Record* live) noexcept {
  switch (condition.kind) {
    case Condition::Kind::none: return true;
    case Condition::Kind::if_absent: return live == nullptr;
    case Condition::Kind::if_present: return live != nullptr;
    case Condition::Kind::if_version: return live != nullptr && live->version == condition.version;
  }
  return false;
}

Effect effect_of(Mutation::Kind kind, bool was_live) noexcept {
  if (kind == Mutation::Kind::put) return was_live ? Effect::replaced : Effect::created;
  return was_live ? Effect::deleted : Effect::nothing_to_delete;
}

// Sound because applied versions of a key strictly increase and a purged record is older than the horizon.
bool proved_never_applied(const Record& record, const Mutation& mutation, ApplyGuard guard) noexcept {
  if (planted(Bug::restamp_without_proof)) return true;
  const auto history = record.history.entries();
  if (record.history.has_dropped()) return history.front().version <= mutation.version;
  return mutation.version.ms() >= guard.purge_horizon_ms;
}

// The operation, under whatever stamp it was applied.
const HistoryEntry* find_applied(const Record& record, const Version& version) noexcept {
  if (planted(Bug::restamp_without_proof)) return nullptr;
  if (!planted(Bug::no_op_id)) return record.history.find(version.op());
  const auto entries = record.history.entries();
  const auto found = std::ranges::find(entries, version, &HistoryEntry::version);
  return found == entries.end() ? nullptr : &*found;
}

Record next_record(std::optional<Record>& record, Mutation&& mutation, Effect effect) {
  Record next;
  if (record) next.history = std::move(record->history);
  next.version = mutation.version;
  if (planted(Bug::no_version_guard) && record && record->version >= mutation.version) next.history = {};
  next.history.push({mutation.version, effect});
  if (mutation.kind == Mutation::Kind::remove) {
    next.tombstone = true;
  } else {
    next.value = std::move(mutation.value);
    next.expires_at_ms = mutation.expires_at_ms;
  }
  return next;
}

}  // namespace

Applied apply(std::optional<Record>& record, Mutation mutation, ApplyGuard guard) {
  const Version current = record ? record->version : Version();
  if (record) {
    if (const HistoryEntry* seen = find_applied(*record, mutation.version)) {
      return {{Verdict::applied, seen->effect, seen->version, current, true}, false};
    }
  }
  const bool newer = !record || mutation.version > current || planted(Bug::no_version_guard);
  if (!newer) {
    const bool proved = proved_never_applied(*record, mutation, guard);
    return {{proved ? Verdict::superseded : Verdict::indeterminate, {}, {}, current, false}, false};
  }
  if (!record && mutation.version.ms() < guard.purge_horizon_ms) {
    return {{Verdict::too_old, {}, {}, current, false}, false};
  }
  const bool was_live = record && record->live_at(mutation.version.ms());
  if (!condition_holds(mutation.condition, was_live ? &*record : nullptr)) {
    return {{Verdict::condition_failed, {}, {}, was_live ? current : Version(), false}, false};
  }
  const Effect effect = effect_of(mutation.kind, was_live);
  const Version version = mutation.version;
  record = next_record(record, std::move(mutation), effect);
  ARMAZEM_ASSERT(record->check());
  return {{Verdict::applied, effect, version, version, false}, true};
}

std::vector<std::uint32_t> batch_order(std::span<const Mutation> mutations) {
  std::vector<std::uint32_t> order(mutations.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto by_key = mutations[a].key <=> mutations[b].key;
    if (by_key != 0) return by_key < 0;
    const auto by_version = mutations[a].version <=> mutations[b].version;
    return by_version != 0 ? by_version < 0 : a < b;
  });
  return order;
}

}  // namespace armazem
