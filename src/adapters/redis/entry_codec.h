// What stands in Redis under one key: a lease or an entry. Integers are big-endian.
//
//   lease, 17 bytes                      entry
//   byte   what                          byte    what
//   0      'L'                           0       'E'
//   1..8   epoch                         1..16   version; all zero: there is no record at all (a negative entry)
//   9..16  token                         17..24  epoch
//                                        25..32  Unix ms when the record was read from, or written to, the store
//                                        33      flags: bit 0 tombstone | bit 1 has expiry | bits 2..3 value form
//                                        -       expiry in Unix ms, 8 bytes; only with bit 1
//                                        -       content type: one byte of length, and text; not in a tombstone
//                                        -       value: all the rest; empty in a tombstone
//
// The epoch is the config epoch of the shard's primary as the writer knew it. A reader that knows another one takes the
// entry, or the lease, for absent: see docs/adr/0009. Version and epoch stand at fixed places near the front, because the
// scripts (scripts.h) read nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"

namespace armazem::redis {

inline constexpr std::size_t lease_bytes = 17;
inline constexpr std::size_t entry_header_bytes = 34;  // up to and with the flags

// nullopt: a negative entry. The epoch is left at zero.
[[nodiscard]] std::string encode_entry(const std::optional<Record>& record, std::uint64_t stored_ms);
// For what a script needs to compare: the header alone, with that version.
[[nodiscard]] std::string encode_header(const Version& version);
[[nodiscard]] std::string encode_lease(std::uint64_t token);

// Writes the epoch into an encoded entry, header or lease.
void set_epoch(std::string& encoded, std::uint64_t epoch) noexcept;

enum class Kind : std::uint8_t { lease, entry, unknown };
struct Head {
  Kind kind = Kind::unknown;
  std::uint64_t epoch = 0;
};
// Looks at the front only; a lease of another length, or an entry without a whole header, is unknown.
[[nodiscard]] Head read_head(std::string_view encoded) noexcept;

struct Entry {
  Record record;
  std::uint64_t stored_ms = 0;
};
// data_damaged when the bytes are not exactly an entry. The value's bytes are moved, not copied.
[[nodiscard]] Result<Entry> decode_entry(std::string&& encoded);

}  // namespace armazem::redis
