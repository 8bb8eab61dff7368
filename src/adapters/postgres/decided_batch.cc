#include "adapters/postgres/decided_batch.h"

#include "adapters/changes.h"
#include "adapters/postgres/binary.h"
#include "adapters/postgres/row_codec.h"
#include "adapters/retention.h"

namespace armazem::pg {
namespace {

// Collects rows column by column.
class RowColumns {
 public:
  void add(const Key& key, const Record& record, std::string_view value) {
    ++rows_;
    const Version::Bytes& version = record.version.bytes();
    keys_.add(std::string_view(key.text()));
    versions_.add(std::string_view(reinterpret_cast<const char*>(version.data()), version.size()));
    tombstones_.add(record.tombstone);
    forms_.add(static_cast<std::int64_t>(record.value.form));
    content_types_.add(std::string_view(record.value.content_type));
    values_.add(value);
    expiries_.add(record.expires_at_ms);
    histories_.add(std::string_view(encode_history(record.history)));
    purge_times_.add(retention_start_ms(record));
  }

  [[nodiscard]] RowParameters take() && {
    return {rows_,
            std::move(keys_).take(),
            std::move(versions_).take(),
            std::move(tombstones_).take(),
            std::move(forms_).take(),
            std::move(content_types_).take(),
            std::move(values_).take(),
            std::move(expiries_).take(),
            std::move(histories_).take(),
            std::move(purge_times_).take()};
  }

 private:
  std::size_t rows_ = 0;
  BinaryArray keys_{TypeOid::bytea};
  BinaryArray versions_{TypeOid::bytea};
  BinaryArray tombstones_{TypeOid::boolean};
  BinaryArray forms_{TypeOid::bigint};
  BinaryArray content_types_{TypeOid::bytea};
  BinaryArray values_{TypeOid::bytea};
  BinaryArray expiries_{TypeOid::bigint};
  BinaryArray histories_{TypeOid::bytea};
  BinaryArray purge_times_{TypeOid::bigint};
};

// Collects changes column by column.
class ChangeColumns {
 public:
  void add(const Mutation& mutation, const Version& version) {
    ++rows_;
    const bool removed = mutation.kind == Mutation::Kind::remove;
    const std::string& bytes = mutation.value.bytes;
    keys_.add(std::string_view(mutation.key.text()));
    versions_.add(std::string_view(reinterpret_cast<const char*>(version.bytes().data()), version.bytes().size()));
    removed_.add(removed);
    forms_.add(removed ? 0 : static_cast<std::int64_t>(mutation.value.form));
    content_types_.add(removed ? std::string_view() : std::string_view(mutation.value.content_type));
    sizes_.add(removed ? 0 : static_cast<std::int64_t>(bytes.size()));
    if (removed || !logged_whole(bytes)) {
      values_.add_null();
    } else {
      values_.add(std::string_view(bytes));
    }
    expiries_.add(removed ? std::nullopt : mutation.expires_at_ms);
  }

  [[nodiscard]] ChangeParameters take() && {
    return {rows_,
            std::move(keys_).take(),
            std::move(versions_).take(),
            std::move(removed_).take(),
            std::move(forms_).take(),
            std::move(content_types_).take(),
            std::move(sizes_).take(),
            std::move(values_).take(),
            std::move(expiries_).take()};
  }

 private:
  std::size_t rows_ = 0;
  BinaryArray keys_{TypeOid::bytea};
  BinaryArray versions_{TypeOid::bytea};
  BinaryArray removed_{TypeOid::boolean};
  BinaryArray forms_{TypeOid::bigint};
  BinaryArray content_types_{TypeOid::bytea};
  BinaryArray sizes_{TypeOid::bigint};
  BinaryArray values_{TypeOid::bytea};
  BinaryArray expiries_{TypeOid::bigint};
};

// All but the value's bytes: `apply` only hands those on, and they are written from where they are.
Mutation without_bytes(const Mutation& mutation) {
  return {mutation.kind,    mutation.key,       {std::string(), mutation.value.content_type, mutation.value.form},
          mutation.version, mutation.condition, mutation.expires_at_ms};
}

}  // namespace

std::string keys_parameter(const BatchPart& part) {
  BinaryArray keys(TypeOid::bytea);
  const Key* last = nullptr;
  for (const std::uint32_t i : part.order) {
    const Key& key = part.mutations[i].key;
    if (last == nullptr || *last != key) keys.add(std::string_view(key.text()));
    last = &key;
  }
  return std::move(keys).take();
}

Result<DecidedBatch> decide(const BatchPart& part, const PgResult& rows, ApplyGuard guard) {
  DecidedBatch batch;
  batch.outcomes.reserve(part.order.size());
  RowColumns updates;
  RowColumns inserts;
  ChangeColumns changes;
  int row = 0;
  for (auto next = part.order.begin(); next != part.order.end();) {
    const Key& key = part.mutations[*next].key;
    const bool exists = row < rows.rows() && rows.bytes(row, 0) == key.text();
    std::optional<Record> record;
    if (exists) {
      Result<Record> stored = decode_metadata(rows, row++);
      if (!stored) return fail(std::move(stored.error()));
      record = std::move(*stored);
    }
    const Mutation* winner = nullptr;
    for (; next != part.order.end() && part.mutations[*next].key == key; ++next) {
      const Mutation& mutation = part.mutations[*next];
      const Applied applied = apply(record, without_bytes(mutation), guard);
      if (applied.changed) winner = &mutation;
      if (leaves_change(applied.outcome)) changes.add(mutation, applied.outcome.version);
      batch.outcomes.push_back(applied.outcome);
    }
    if (winner == nullptr) continue;
    (exists ? updates : inserts).add(key, *record, record->tombstone ? std::string_view() : winner->value.bytes);
  }
  // Rows come in the order of the keys, so each was met; else the server sorts in another way than bytewise.
  if (row != rows.rows()) return fail(ErrorCode::internal, "the database's rows do not match the keys asked for");
  batch.updates = std::move(updates).take();
  batch.inserts = std::move(inserts).take();
  batch.changes = std::move(changes).take();
  return batch;
}

}  // namespace armazem::pg
