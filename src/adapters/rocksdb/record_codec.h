// The stored form of a Record, format 1:
//
//   byte   what
//   0      format, 0x01
//   1      flags: bit 0 tombstone | bit 1 has expiry | bits 2..3 value form | bits 4..7 length of the history:
//            1 to 8   so many entries; with 8, older ones were dropped
//            9        the length follows as a varint, 9 to 512; older ones were dropped
//            10       the length follows as a varint, 8 to 512; none was ever dropped
//   -      expiry in Unix milliseconds, varint; only with bit 1
//   -      content type, as content_type_codec.h has it; not in a tombstone
//   -      length of the history, varint; only where the flags say so
//   -      history, oldest first, 17 bytes each: 16 of version, 1 of effect; the last is the record's own version
//   -      value: all the rest; empty in a tombstone
//
// Varints are LEB128, shortest form only. The value comes last, so that it goes into a write without another copy.
// There is no checksum of our own: RocksDB checks one over every block and log record that it reads from disk. What is
// checked here is the form, every byte of it, so that wrong bytes become data_damaged and never a wrong record.
#pragma once

#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"

namespace armazem::rocks {

// The stored form without the value; `record.value.bytes` belongs right behind it.
[[nodiscard]] std::string encode_head(const Record& record);

struct StoredRecord {
  Record record;           // all but value.bytes, which stays empty
  std::string_view value;  // points into the bytes that were decoded
};

// Leaves the value where it is: apply and the filter of a scan do not need it.
[[nodiscard]] Result<StoredRecord> decode_head(std::string_view stored);

// The whole record, value copied once.
[[nodiscard]] Result<Record> decode(std::string_view stored);

}  // namespace armazem::rocks
