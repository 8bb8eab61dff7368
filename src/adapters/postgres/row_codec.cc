#include "adapters/postgres/row_codec.h"

namespace armazem::pg {
namespace {

constexpr std::size_t entry_bytes = sizeof(Version::Bytes) + 1;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "stored row: " + std::string(what));
}

// History::push asserts the order that the invariants ask for; stored bytes are asked first.
bool read_history(std::string_view stored, Record& record) {
  const std::size_t count = stored.size() / entry_bytes;
  if (stored.size() % entry_bytes != 0 || count == 0 || count > limits::history_entries_max) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view entry = stored.substr(i * entry_bytes, entry_bytes);
    const auto version = Version::from_bytes(entry.substr(0, sizeof(Version::Bytes)));
    const auto effect = static_cast<std::uint8_t>(entry.back());
    if (!version || effect > static_cast<std::uint8_t>(Effect::nothing_to_delete)) return false;
    if (i > 0 && *version <= record.version) return false;
    record.history.push({*version, Effect{effect}});
    record.version = *version;
  }
  return true;
}

struct Columns {
  int version;
  int tombstone;
  int expires_at_ms;
  int history;
};

Result<Record> decode_common(const PgResult& rows, int row, const Columns& at) {
  Record record;
  if (!read_history(rows.bytes(row, at.history), record)) return damaged("wrong history");
  const auto version = Version::from_bytes(rows.bytes(row, at.version));
  if (!version || *version != record.version) return damaged("wrong version");
  record.tombstone = rows.boolean(row, at.tombstone);
  if (!rows.is_null(row, at.expires_at_ms)) {
    const std::int64_t expires = rows.integer(row, at.expires_at_ms);
    if (expires < 0) return damaged("wrong expiry");
    record.expires_at_ms = static_cast<std::uint64_t>(expires);
  }
  return record;
}

}  // namespace

std::string encode_history(const History& history) {
  std::string out;
  out.reserve(history.entries().size() * entry_bytes);
  for (const HistoryEntry& entry : history.entries()) {
    out.append(entry.version.bytes().begin(), entry.version.bytes().end());
    out.push_back(static_cast<char>(entry.effect));
  }
  return out;
}

Result<Record> decode_metadata(const PgResult& rows, int row) {
  Result<Record> record = decode_common(rows, row, {1, 2, 3, 4});
  if (record && !record->check()) return damaged("broken invariant");
  return record;
}

Result<Record> decode_record(const PgResult& rows, int row) {
  Result<Record> record = decode_common(rows, row, {1, 2, 6, 7});
  if (!record) return record;
  const std::int64_t form = rows.integer(row, 3);
  if (form < 0 || form > static_cast<std::int64_t>(ValueForm::json)) return damaged("wrong form");
  record->value.form = static_cast<ValueForm>(form);
  record->value.content_type = rows.bytes(row, 4);
  record->value.bytes = rows.bytes(row, 5);
  if (!record->check()) return damaged("broken invariant");
  return record;
}

}  // namespace armazem::pg
