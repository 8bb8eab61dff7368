// What a store holds for one key: the latest value or a tombstone, and what was lately applied to it.
//
// Invariants (checked by `Record::check`):
//   1. versions in the history strictly increase; its last entry is the record's own version;
//   2. at most `history_entries_max` entries; a record that exists has at least one;
//   3. a tombstone has no value and no expiry.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/limits.h"
#include "core/value.h"
#include "core/version.h"

namespace armazem {

// How an applied mutation changed the key; kept, so that a redelivery is answered as the first time.
enum class Effect : std::uint8_t { created = 0, replaced = 1, deleted = 2, nothing_to_delete = 3 };

struct HistoryEntry {
  Version version;
  Effect effect = Effect::created;
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;
};

// The last K applied mutations, oldest first.
class History {
 public:
  [[nodiscard]] std::span<const HistoryEntry> entries() const noexcept { return {entries_.data(), size_}; }
  [[nodiscard]] bool full() const noexcept { return size_ == entries_.size(); }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const HistoryEntry* find(OpId op) const noexcept;
  // The new entry must be newer than all others. Drops the oldest when full.
  void push(HistoryEntry entry) noexcept;
  friend bool operator==(const History& a, const History& b) noexcept;

 private:
  std::array<HistoryEntry, limits::history_entries_max> entries_{};
  std::size_t size_ = 0;
};

struct Record {
  Value value;
  bool tombstone = false;
  Version version;
  std::optional<std::uint64_t> expires_at_ms;  // Unix milliseconds
  History history;

  // Neither deleted nor expired at that wall-clock time.
  [[nodiscard]] bool live_at(std::uint64_t now_ms) const noexcept {
    return !tombstone && (!expires_at_ms || *expires_at_ms > now_ms);
  }
  [[nodiscard]] bool check() const noexcept;
  friend bool operator==(const Record&, const Record&) = default;
};

}  // namespace armazem
