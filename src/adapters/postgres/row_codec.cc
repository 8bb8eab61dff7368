#include "adapters/postgres/row_codec.h"

namespace armazem::pg {
namespace {

constexpr std::string_view long_and_from_the_start("\1", 1);

std::string_view mark_of(const History& history) noexcept {
  const bool is_marked = history.entries().size() >= limits::history_entries_min && !history.has_dropped();
  return is_marked ? long_and_from_the_start : std::string_view();
}

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "stored row: " + std::string(what));
}

bool read_history(std::string_view stored, Record& record) {
  const std::size_t count = stored.size() / sizeof(HistoryEntry);
  const std::string_view entries = stored.substr(0, count * sizeof(HistoryEntry));
  const std::string_view mark = stored.substr(entries.size());
  const bool has_dropped = count >= limits::history_entries_min && mark.empty();
  auto history = History::from_bytes(entries, has_dropped);
  if (!history || history->empty() || mark != mark_of(*history)) return false;
  record.history = std::move(*history);
  record.version = record.history.entries().back().version;
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

std::string encode_history(const History& history) { return std::string(history.bytes()).append(mark_of(history)); }

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
