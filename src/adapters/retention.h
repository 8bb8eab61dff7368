// When a record stops being of use to readers: shared by all stores, so that purge means the same everywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/record.h"

namespace armazem {

// The wall-clock millisecond from which retention counts: the delete of a tombstone, the expiry of a record that has
// one; nullopt for records that stay. Never before the record's own version: purge must not remove a record whose newest
// version lies at or above the purge horizon, or a redelivery of it would find nothing and be applied twice.
[[nodiscard]] inline std::optional<std::uint64_t> retention_start_ms(const Record& record) noexcept {
  if (record.tombstone) return record.version.ms();
  if (!record.expires_at_ms) return std::nullopt;
  return std::max(*record.expires_at_ms, record.version.ms());
}

}  // namespace armazem
