#include "core/record.h"

#include <algorithm>

#include "core/assert.h"

namespace armazem {

const HistoryEntry* History::find(OpId op) const noexcept {
  const auto all = entries();
  const auto found = std::find_if(all.begin(), all.end(), [op](const HistoryEntry& e) { return e.version.op() == op; });
  return found == all.end() ? nullptr : &*found;
}

void History::push(HistoryEntry entry) noexcept {
  ARMAZEM_ASSERT(size_ == 0 || entries_[size_ - 1].version < entry.version);
  if (full()) {
    std::move(entries_.begin() + 1, entries_.end(), entries_.begin());
    --size_;
  }
  entries_[size_++] = entry;
}

bool operator==(const History& a, const History& b) noexcept { return std::ranges::equal(a.entries(), b.entries()); }

bool Record::check() const noexcept {
  const auto entries = history.entries();
  if (entries.empty() || entries.back().version != version) return false;
  const auto not_increasing = [](const HistoryEntry& a, const HistoryEntry& b) { return a.version >= b.version; };
  if (std::adjacent_find(entries.begin(), entries.end(), not_increasing) != entries.end()) return false;
  return !tombstone || (value.bytes.empty() && value.content_type.empty() && !expires_at_ms);
}

}  // namespace armazem
