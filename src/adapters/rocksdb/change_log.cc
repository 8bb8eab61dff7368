#include "adapters/rocksdb/change_log.h"

#include "adapters/changes.h"
#include "adapters/rocksdb/change_codec.h"
#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

constexpr const char* id_key = "change_log";

std::unique_ptr<rocksdb::Iterator> entries(const Engine& engine) {
  return std::unique_ptr<rocksdb::Iterator>(engine.db().NewIterator(rocksdb::ReadOptions(), engine.changes()));
}

// Where the iterator stands. Nothing there is an error: a log has at least the entry that it began with.
Result<StoredChunk> chunk_at(const rocksdb::Iterator& at) {
  if (at.Valid()) return parse_chunk(at.key(), at.value().ToStringView());
  if (!at.status().ok()) return fail(to_error(at.status(), "reading the change log"));
  return fail(ErrorCode::data_damaged, "the change log is empty");
}

Result<StoredChunk> first_chunk(rocksdb::Iterator& at) {
  at.SeekToFirst();
  return chunk_at(at);
}

// No changes, and where to go on.
Result<ChangePage> lost(rocksdb::Iterator& at) {
  const auto oldest = first_chunk(at);
  if (!oldest) return fail(oldest.error());
  ChangePage page;
  page.next = oldest->first - 1;
  page.lost = true;
  return page;
}

}  // namespace

rocksdb::Status stage_log_begin(const Engine& engine, rocksdb::WriteBatch& batch) {
  std::string id;
  auto known = engine.db().Get(rocksdb::ReadOptions(), engine.meta(), id_key, &id);
  if (!known.ok() && !known.IsNotFound()) return known;
  const auto at = entries(engine);
  at->SeekToFirst();
  if (!at->status().ok() || (known.ok() && at->Valid())) return at->status();
  if (const auto staged = batch.Put(engine.meta(), id_key, make_change_log_id()); !staged.ok()) return staged;
  return batch.Put(engine.changes(), change_entry_key(0), ChangeChunk().head());
}

Result<std::uint64_t> newest_position(const Engine& engine) {
  const auto at = entries(engine);
  at->SeekToLast();
  const auto newest = chunk_at(*at);
  if (!newest) return fail(newest.error());
  return newest->last;
}

Result<ChangeLogState> log_state(const Engine& engine) {
  ChangeLogState state;
  const auto known = engine.db().Get(rocksdb::ReadOptions(), engine.meta(), id_key, &state.id);
  if (!known.ok()) return fail(to_error(known, "reading the change log's identity"));
  const auto at = entries(engine);
  const auto oldest = first_chunk(*at);
  if (!oldest) return fail(oldest.error());
  state.oldest = oldest->first - 1;
  at->SeekToLast();
  const auto newest = chunk_at(*at);
  if (!newest) return fail(newest.error());
  state.newest = newest->last;
  return state;
}

Result<ChangePage> read_log(const Engine& engine, const ChangesRequest& request) {
  const auto at = entries(engine);
  // The entry that holds `after`, or the one behind it.
  at->Seek(change_entry_key(request.after));
  if (!at->Valid() && at->status().ok()) return lost(*at);
  ChangePage page;
  page.next = request.after;
  std::size_t bytes = 0;
  for (; at->Valid() && page.changes.size() < request.limit && bytes < request.bytes_max; at->Next()) {
    const auto chunk = chunk_at(*at);
    if (!chunk) return fail(chunk.error());
    if (chunk->first > page.next + 1) {
      if (page.changes.empty()) return lost(*at);
      return page;
    }
    if (auto read = read_chunk(*chunk, request, page, bytes); !read) return fail(std::move(read.error()));
  }
  if (!at->status().ok()) return fail(to_error(at->status(), "reading the change log"));
  return page;
}

}  // namespace armazem::rocks
