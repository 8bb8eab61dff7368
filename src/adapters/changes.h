// What the stores' change logs share: which outcomes leave a change, and what it tells.
#pragma once

#include <random>
#include <string>
#include <string_view>

#include "core/apply.h"
#include "core/limits.h"
#include "ports/changes.h"

namespace armazem {

[[nodiscard]] constexpr bool leaves_change(const Outcome& outcome) noexcept {
  return outcome.verdict == Verdict::applied && !outcome.replayed && outcome.effect != Effect::nothing_to_delete;
}

// Whether the log takes the value's bytes too.
[[nodiscard]] constexpr bool logged_whole(std::string_view bytes) noexcept {
  return bytes.size() <= limits::change_value_bytes_max;
}

// From the record as the mutation left it.
[[nodiscard]] inline Change make_change(std::uint64_t position, const Key& key, const Record& record) {
  Change change{position, key, record.version, std::nullopt};
  if (record.tombstone) return change;
  const std::string& bytes = record.value.bytes;
  change.value = ChangedValue{record.value.content_type, record.value.form, bytes.size(), std::nullopt, record.expires_at_ms};
  if (logged_whole(bytes)) change.value->bytes = bytes;
  return change;
}

[[nodiscard]] inline std::string make_change_log_id() {
  std::random_device random;
  std::string id;
  while (id.size() < 16) id.push_back("0123456789abcdef"[random() % 16]);
  return id;
}

}  // namespace armazem
