#include "adapters/rocksdb/record_codec.h"

#include <optional>

#include "adapters/byte_codec.h"
#include "adapters/rocksdb/content_type_codec.h"
#include "core/assert.h"

namespace armazem::rocks {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t tombstone_flag = 1;
constexpr std::uint8_t expiry_flag = 2;
constexpr int form_shift = 2;
constexpr std::uint8_t form_mask = 3;
constexpr int history_shift = 4;
static_assert(limits::history_entries_min == 8, "stored: what the flags count without a varint");
constexpr std::uint8_t long_history = 9;
constexpr std::uint8_t long_history_from_the_start = 10;

unsigned history_code(const History& history) noexcept {
  const std::size_t size = history.entries().size();
  if (!history.has_dropped() && size >= limits::history_entries_min) return long_history_from_the_start;
  return size <= limits::history_entries_min ? static_cast<unsigned>(size) : long_history;
}

bool has_length(unsigned history_code) noexcept { return history_code >= long_history; }

std::uint8_t flags_of(const Record& record) noexcept {
  unsigned flags = record.tombstone ? tombstone_flag : 0U;
  if (record.expires_at_ms) flags |= expiry_flag;
  flags |= static_cast<unsigned>(record.value.form) << form_shift;
  flags |= history_code(record.history) << history_shift;
  return static_cast<std::uint8_t>(flags);
}

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "stored record: " + std::string(what));
}

std::optional<std::size_t> read_history_length(ByteReader& in, unsigned code) {
  if (code == 0 || code > long_history_from_the_start) return std::nullopt;
  if (!has_length(code)) return code;
  const std::uint64_t length = in.varint();
  const std::size_t least = limits::history_entries_min + (code == long_history ? 1 : 0);
  if (!in.ok() || length < least || length > limits::history_entries_max) return std::nullopt;
  return length;
}

bool read_history(ByteReader& in, unsigned code, Record& record) {
  const auto length = read_history_length(in, code);
  if (!length) return false;
  const bool has_dropped = *length >= limits::history_entries_min && code != long_history_from_the_start;
  auto history = History::from_bytes(in.take(*length * sizeof(HistoryEntry)), has_dropped);
  if (!in.ok() || !history) return false;
  record.history = std::move(*history);
  record.version = record.history.entries().back().version;
  return true;
}

}  // namespace

std::string encode_head(const Record& record) {
  ARMAZEM_ASSERT(record.check());
  std::string out;
  out.reserve(16 + record.value.content_type.size() + record.history.bytes().size());
  out.push_back(static_cast<char>(format));
  out.push_back(static_cast<char>(flags_of(record)));
  if (record.expires_at_ms) put_varint(out, *record.expires_at_ms);
  if (!record.tombstone) put_content_type(out, record.value.content_type);
  if (has_length(history_code(record.history))) put_varint(out, record.history.entries().size());
  out.append(record.history.bytes());
  return out;
}

Result<StoredRecord> decode_head(std::string_view stored) {
  ByteReader in(stored);
  if (in.byte() != format || !in.ok()) return damaged("unknown format");
  const std::uint8_t flags = in.byte();
  const std::uint8_t form = (flags >> form_shift) & form_mask;
  const unsigned history_code = flags >> history_shift;
  if (!in.ok() || form > static_cast<std::uint8_t>(ValueForm::json)) return damaged("wrong flags");

  StoredRecord result;
  Record& record = result.record;
  record.tombstone = (flags & tombstone_flag) != 0;
  record.value.form = ValueForm{form};
  if ((flags & expiry_flag) != 0) record.expires_at_ms = in.varint();
  if (!in.ok()) return damaged("wrong expiry");
  if (!record.tombstone && !read_content_type(in, record.value.content_type)) return damaged("wrong content type");
  if (!read_history(in, history_code, record)) return damaged("wrong history");
  result.value = in.rest();
  const bool tombstone_with_more = record.tombstone && (!result.value.empty() || form != 0);
  if (tombstone_with_more || !record.check()) return damaged("broken invariant");
  return result;
}

Result<Record> decode(std::string_view stored) {
  auto head = decode_head(stored);
  if (!head) return fail(std::move(head.error()));
  head->record.value.bytes = head->value;
  return std::move(head->record);
}

}  // namespace armazem::rocks
