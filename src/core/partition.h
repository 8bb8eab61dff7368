// Which queue the writes of a key go through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace armazem {

// FNV-1a, 64 bits (Fowler, Noll, Vo). Every server must agree on it only for speed: `apply` is right for any routing, so
// the number of queues may change at any time.
[[nodiscard]] constexpr std::uint64_t key_hash(std::string_view key) noexcept {
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  return hash;
}

[[nodiscard]] constexpr std::size_t partition_of(std::string_view key, std::size_t partitions) noexcept {
  return partitions <= 1 ? 0 : static_cast<std::size_t>(key_hash(key) % partitions);
}

}  // namespace armazem
