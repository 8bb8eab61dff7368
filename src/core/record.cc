#include "core/record.h"

#include <algorithm>
#include <cstring>

#include "core/assert.h"

namespace armazem {
namespace {

bool out_of_window(const HistoryEntry& entry, const HistoryEntry& newest) noexcept {
  constexpr auto window_ms = static_cast<std::uint64_t>(limits::history_window.count());
  return entry.version.ms() + window_ms < newest.version.ms();
}

}  // namespace

const HistoryEntry* History::find(OpId op) const noexcept {
  // The op id is the second half of a version, so it can be looked for as it lies there.
  constexpr std::size_t at = 8;
  const Version wanted = Version::make(Tick(), op);
  const auto has_op = [&](const HistoryEntry& entry) {
    return std::memcmp(entry.version.bytes().data() + at, wanted.bytes().data() + at, sizeof(Version) - at) == 0;
  };
  const auto all = entries();
  const auto found = std::ranges::find_if(all, has_op);
  return found == all.end() ? nullptr : &*found;
}

void History::push(HistoryEntry entry) {
  ARMAZEM_ASSERT(entries_.empty() || entries_.back().version < entry.version);
  const std::size_t size = entries_.size() + 1;
  std::size_t drop = 0;
  for (; size - drop > limits::history_entries_min; ++drop) {
    // The first entry may go while the second proves as much.
    if (size - drop <= limits::history_entries_max && !out_of_window(entries_[drop + 1], entry)) break;
  }
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(drop));
  entries_.push_back(entry);
  has_dropped_ = has_dropped_ || drop > 0;
}

std::string_view History::bytes() const noexcept {
  return {reinterpret_cast<const char*>(entries_.data()), entries_.size() * sizeof(HistoryEntry)};
}

std::optional<History> History::from_bytes(std::string_view bytes, bool has_dropped) {
  const std::size_t count = bytes.size() / sizeof(HistoryEntry);
  if (bytes.size() % sizeof(HistoryEntry) != 0 || count > limits::history_entries_max) return std::nullopt;
  if (has_dropped && count < limits::history_entries_min) return std::nullopt;
  std::optional<History> history(std::in_place);
  history->has_dropped_ = has_dropped;
  if (count == 0) return history;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(HistoryEntry)) {
    const std::string_view version = bytes.substr(at, sizeof(Version));
    const auto effect = static_cast<std::uint8_t>(bytes[at + sizeof(Version)]);
    if (!Version::is_well_formed(version)) return std::nullopt;
    if (effect > static_cast<std::uint8_t>(Effect::nothing_to_delete)) return std::nullopt;
    if (at > 0 && bytes.substr(at - sizeof(HistoryEntry), sizeof(Version)) >= version) return std::nullopt;
  }
  history->entries_.resize(count, boost::container::default_init);
  std::memcpy(history->entries_.data(), bytes.data(), bytes.size());
  return history;
}

bool operator==(const History& a, const History& b) noexcept {
  return a.has_dropped_ == b.has_dropped_ && std::ranges::equal(a.entries(), b.entries());
}

bool Record::check() const noexcept {
  const auto entries = history.entries();
  if (entries.empty() || entries.back().version != version) return false;
  return !tombstone || (value.bytes.empty() && value.content_type.empty() && !expires_at_ms);
}

}  // namespace armazem
