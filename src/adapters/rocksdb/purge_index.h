// Column family `purge`: one empty entry per record that will have to go, ordered by when, so that a purge step costs
// what is due and not what is stored. Written in the same batch as the record.
//
// Entry key: retention_start_ms as 8 bytes big-endian, then the record's key.
#pragma once

#include <rocksdb/slice.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace armazem::rocks {

struct PurgeEntry {
  std::uint64_t start_ms = 0;
  std::string_view key;  // points into the parsed bytes
};

[[nodiscard]] std::string purge_entry_key(std::uint64_t start_ms, std::string_view key);

// nullopt: too short to be one.
[[nodiscard]] std::optional<PurgeEntry> parse_purge_entry(const rocksdb::Slice& entry_key) noexcept;

}  // namespace armazem::rocks
