// The stored form of changes: column family `changes`, one entry per chunk of them, so that a batch of hundreds costs the
// log one entry and not hundreds. Positions follow each other without a gap, over all entries.
//
// Entry key: position of the chunk's last change, 8 bytes big-endian. Entry value, format 1:
//
//   byte   what
//   0      format, 0x01
//   -      number of changes, varint; 0 only in the entry with which a log begins (key 0)
//   then for each change:
//   0      flags: bit 0 removed | bit 1 has expiry | bits 2..3 value form | bit 4 value left out
//   -      key: varint length and text
//   -      version, 16 bytes
//   and unless it was removed:
//   -      expiry in Unix milliseconds, varint; only with bit 1
//   -      content type, as content_type_codec.h has it
//   -      size of the value, varint
//   -      value; not with bit 4
//
// As with records, every byte's form is checked, and checksums are RocksDB's.
#pragma once

#include <rocksdb/slice.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"
#include "ports/changes.h"

namespace armazem::rocks {

[[nodiscard]] std::string change_entry_key(std::uint64_t last_position);

// Collects changes until they are enough for an entry.
class ChangeChunk {
 public:
  void add(std::string_view key, const Record& record);
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] bool full() const noexcept;
  // The entry's value is head and body.
  [[nodiscard]] std::string head() const;
  [[nodiscard]] std::string_view body() const noexcept { return body_; }
  void clear() noexcept;

 private:
  std::uint64_t count_ = 0;
  std::string body_;  // kept for its memory
};

// An entry, as it lies in the database.
struct StoredChunk {
  std::uint64_t first = 0;  // positions of its changes; first = last + 1 when it has none
  std::uint64_t last = 0;
  std::string_view changes;  // points into the bytes that were parsed
};

[[nodiscard]] Result<StoredChunk> parse_chunk(const rocksdb::Slice& entry_key, std::string_view entry);

// Appends the changes behind `after` to the page until it is full; `bytes`: of what is in it.
[[nodiscard]] Result<void> read_chunk(const StoredChunk& chunk, const ChangesRequest& request, ChangePage& page,
                                     std::size_t& bytes);

}  // namespace armazem::rocks
