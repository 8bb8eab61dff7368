// What a store holds for one key: the latest value or a tombstone, and what was lately applied to it.
//
// Invariants (checked by `Record::check`, but for what a History cannot break):
//   1. versions in the history strictly increase; its last entry is the record's own version;
//   2. at most `history_entries_max` entries; a record that exists has at least one;
//   3. a tombstone has no value and no expiry.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

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
static_assert(sizeof(HistoryEntry) == sizeof(Version::Bytes) + 1 && std::is_trivially_copyable_v<HistoryEntry>,
              "stored as it lies in memory");

// The last applied mutations, oldest first: the last `history_entries_min`; beyond them, up to `history_entries_max`, all
// that are younger than `history_window` at the newest, and one that is not. That one proves that none is missing behind
// it, so what comes at most the window late is known to have been applied, or never to have been.
class History {
 public:
  [[nodiscard]] std::span<const HistoryEntry> entries() const noexcept { return {entries_.data(), entries_.size()}; }
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] const HistoryEntry* find(OpId op) const noexcept;
  // Whether it was longer once. If not, it holds all that was applied since the key came into being.
  [[nodiscard]] bool has_dropped() const noexcept { return has_dropped_; }

  // The new entry must be newer than all others. Drops what need not be kept any longer.
  void push(HistoryEntry entry);

  // As it is stored: 17 bytes per entry, 16 of version and 1 of effect. What is made of bytes again keeps every entry.
  [[nodiscard]] std::string_view bytes() const noexcept;
  // nullopt: no history is stored as these bytes.
  [[nodiscard]] static std::optional<History> from_bytes(std::string_view bytes, bool has_dropped);

  friend bool operator==(const History& a, const History& b) noexcept;

 private:
  // Inside the object, but for the hottest keys.
  boost::container::small_vector<HistoryEntry, limits::history_entries_min> entries_;
  bool has_dropped_ = false;
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
static_assert(std::is_nothrow_move_constructible_v<Record> && std::is_nothrow_move_assignable_v<Record>);

}  // namespace armazem
