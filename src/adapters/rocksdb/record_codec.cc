#include "adapters/rocksdb/record_codec.h"

#include <algorithm>
#include <array>

#include "adapters/byte_codec.h"
#include "core/assert.h"

namespace armazem::rocks {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t tombstone_flag = 1;
constexpr std::uint8_t expiry_flag = 2;
constexpr int form_shift = 2;
constexpr std::uint8_t form_mask = 3;
constexpr int history_shift = 4;

// Code = position + 1. Stored codes never change: append only.
constexpr std::array<std::string_view, 12> content_types = {"application/json",
                                                            "text/plain; charset=utf-8",
                                                            "application/octet-stream",
                                                            "text/plain",
                                                            "text/plain;charset=UTF-8",
                                                            "application/x-www-form-urlencoded",
                                                            "text/html",
                                                            "text/html; charset=utf-8",
                                                            "application/xml",
                                                            "image/png",
                                                            "image/jpeg",
                                                            "application/x-protobuf"};
constexpr char spelled_out = 0;

void put_content_type(std::string& out, std::string_view type) {
  const auto known = std::ranges::find(content_types, type);
  if (known != content_types.end()) {
    out.push_back(static_cast<char>(known - content_types.begin() + 1));
    return;
  }
  out.push_back(spelled_out);
  put_varint(out, type.size());
  out.append(type);
}

std::uint8_t flags_of(const Record& record) noexcept {
  unsigned flags = record.tombstone ? tombstone_flag : 0U;
  if (record.expires_at_ms) flags |= expiry_flag;
  flags |= static_cast<unsigned>(record.value.form) << form_shift;
  flags |= static_cast<unsigned>(record.history.entries().size()) << history_shift;
  return static_cast<std::uint8_t>(flags);
}

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "stored record: " + std::string(what));
}

bool read_content_type(ByteReader& in, std::string& type) {
  const std::uint8_t code = in.byte();
  if (!in.ok() || code > content_types.size()) return false;
  if (code != spelled_out) {
    type = content_types[code - std::size_t{1}];
    return true;
  }
  const std::uint64_t size = in.varint();
  if (!in.ok() || size > limits::content_type_bytes_max) return false;
  type = in.take(size);
  return in.ok();
}

// History::push asserts the order that the invariants ask for; bytes from disk are asked first.
bool read_history(ByteReader& in, std::size_t count, Record& record) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto version = Version::from_bytes(in.take(sizeof(Version)));
    const std::uint8_t effect = in.byte();
    if (!version || !in.ok() || effect > static_cast<std::uint8_t>(Effect::nothing_to_delete)) return false;
    if (i > 0 && *version <= record.version) return false;
    record.history.push({*version, Effect{effect}});
    record.version = *version;
  }
  return true;
}

}  // namespace

std::string encode_head(const Record& record) {
  ARMAZEM_ASSERT(record.check());
  std::string out;
  out.reserve(16 + record.value.content_type.size() + record.history.entries().size() * (sizeof(Version) + 1));
  out.push_back(static_cast<char>(format));
  out.push_back(static_cast<char>(flags_of(record)));
  if (record.expires_at_ms) put_varint(out, *record.expires_at_ms);
  if (!record.tombstone) put_content_type(out, record.value.content_type);
  for (const HistoryEntry& entry : record.history.entries()) {
    out.append(entry.version.bytes().begin(), entry.version.bytes().end());
    out.push_back(static_cast<char>(entry.effect));
  }
  return out;
}

Result<StoredRecord> decode_head(std::string_view stored) {
  ByteReader in(stored);
  if (in.byte() != format || !in.ok()) return damaged("unknown format");
  const std::uint8_t flags = in.byte();
  const std::uint8_t form = (flags >> form_shift) & form_mask;
  const std::size_t entries = flags >> history_shift;
  if (!in.ok() || form > static_cast<std::uint8_t>(ValueForm::json)) return damaged("wrong flags");
  if (entries == 0 || entries > limits::history_entries_max) return damaged("wrong history length");

  StoredRecord result;
  Record& record = result.record;
  record.tombstone = (flags & tombstone_flag) != 0;
  record.value.form = ValueForm{form};
  if ((flags & expiry_flag) != 0) record.expires_at_ms = in.varint();
  if (!in.ok()) return damaged("wrong expiry");
  if (!record.tombstone && !read_content_type(in, record.value.content_type)) return damaged("wrong content type");
  if (!read_history(in, entries, record)) return damaged("wrong history");
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
