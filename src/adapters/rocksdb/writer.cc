#include "adapters/rocksdb/writer.h"

#include "adapters/changes.h"
#include "adapters/retention.h"
#include "adapters/rocksdb/change_log.h"
#include "adapters/rocksdb/purge_index.h"
#include "adapters/rocksdb/record_codec.h"
#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

constexpr std::size_t batch_bytes_kept = std::size_t{8} << 20;

std::optional<std::uint64_t> start_of(const std::optional<Record>& record) noexcept {
  return record ? retention_start_ms(*record) : std::nullopt;
}

}  // namespace

Result<std::vector<Outcome>> Writer::apply(std::vector<Mutation> mutations, ApplyGuard guard) {
  if (auto admitted = gate_.admit(); !admitted) return fail(std::move(admitted.error()));
  const std::vector<std::uint32_t> order = batch_order(mutations);
  std::vector<Group> groups;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::string& key = mutations[order[i]].key.text();
    if (groups.empty() || groups.back().key != key) groups.push_back({i, i, key, std::nullopt});
    groups.back().end = i + 1;
  }
  if (auto read = read_current(groups); !read) return fail(std::move(read.error()));

  if (!newest_change_) {
    const auto newest = newest_position(engine());
    if (!newest) return fail(newest.error());
    newest_change_ = *newest;
  }
  std::uint64_t newest = *newest_change_;

  std::vector<Outcome> outcomes(mutations.size());
  batch_.Clear();
  chunk_.clear();
  for (Group& group : groups) {
    const auto old_start_ms = start_of(group.record);
    bool changed = false;
    for (std::size_t i = group.begin; i < group.end; ++i) {
      const Applied applied = armazem::apply(group.record, std::move(mutations[order[i]]), guard);
      outcomes[order[i]] = applied.outcome;
      changed = changed || applied.changed;
      if (leaves_change(applied.outcome)) chunk_.add(group.key, *group.record);
      if (chunk_.full()) newest = stage_chunk(newest);
    }
    if (changed) stage(group.key, old_start_ms, *group.record);
  }
  newest = stage_chunk(newest);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  if (auto committed = commit(synced); !committed) return fail(std::move(committed.error()));
  newest_change_ = newest;
  for (const Outcome& outcome : outcomes) counters_.add(outcome);
  return outcomes;
}

Result<void> Writer::read_current(std::vector<Group>& groups) const {
  std::vector<rocksdb::Slice> keys;
  keys.reserve(groups.size());
  for (const Group& group : groups) keys.emplace_back(group.key);
  std::vector<rocksdb::PinnableSlice> stored(groups.size());
  std::vector<rocksdb::Status> statuses(groups.size());
  constexpr bool sorted = true;
  engine().db().MultiGet(rocksdb::ReadOptions(), engine().records(), keys.size(), keys.data(), stored.data(),
                         statuses.data(), sorted);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return fail(to_error(statuses[i], "reading a record before writing it"));
    auto head = decode_head(stored[i].ToStringView());
    if (!head) return fail(std::move(head.error()));
    groups[i].record = std::move(head->record);
  }
  return {};
}

void Writer::stage(const std::string& key, std::optional<std::uint64_t> old_start_ms, const Record& record) {
  const std::string head = encode_head(record);
  const rocksdb::Slice key_part(key);
  const rocksdb::Slice value_parts[] = {head, record.value.bytes};
  batch_.Put(engine().records(), rocksdb::SliceParts(&key_part, 1), rocksdb::SliceParts(value_parts, 2));
  const auto start_ms = retention_start_ms(record);
  if (start_ms == old_start_ms) return;
  if (old_start_ms) batch_.Delete(engine().purge_entries(), purge_entry_key(*old_start_ms, key));
  if (start_ms) batch_.Put(engine().purge_entries(), purge_entry_key(*start_ms, key), rocksdb::Slice());
}

std::uint64_t Writer::stage_chunk(std::uint64_t newest) {
  if (chunk_.count() == 0) return newest;
  newest += chunk_.count();
  const std::string position = change_entry_key(newest);
  const std::string head = chunk_.head();
  const rocksdb::Slice key_part(position);
  const rocksdb::Slice value_parts[] = {head, rocksdb::Slice(chunk_.body().data(), chunk_.body().size())};
  batch_.Put(engine().changes(), rocksdb::SliceParts(&key_part, 1), rocksdb::SliceParts(value_parts, 2));
  chunk_.clear();
  return newest;
}

Result<void> Writer::commit(const rocksdb::WriteOptions& options) {
  if (batch_.Count() == 0) return {};
  const MonotonicTime begin = time_.now();
  const rocksdb::Status status = engine().db().Write(options, &batch_);
  if (options.sync) counters_.add_sync(time_.now() - begin);
  if (batch_.GetDataSize() > batch_bytes_kept) batch_ = rocksdb::WriteBatch();
  if (!status.ok()) {
    newest_change_.reset();
    return fail(gate_.failed(status));
  }
  return {};
}

Result<PurgeReport> Writer::purge(const PurgeRequest& request) {
  if (auto admitted = gate_.admit(); !admitted) return fail(std::move(admitted.error()));
  const std::string end = purge_entry_key(request.before_ms, {});
  const rocksdb::Slice end_slice(end);
  rocksdb::ReadOptions read;
  read.iterate_upper_bound = &end_slice;

  PurgeReport report;
  std::size_t looked_at = 0;
  batch_.Clear();
  const std::unique_ptr<rocksdb::Iterator> at(engine().db().NewIterator(read, engine().purge_entries()));
  for (at->Seek(purge_from_); at->Valid() && looked_at < request.limit; at->Next(), ++looked_at) {
    const auto removed = stage_purge(at->key());
    if (!removed) return fail(removed.error());
    report.removed += *removed ? 1 : 0;
  }
  if (!at->status().ok()) return fail(to_error(at->status(), "looking for records to purge"));
  report.more = at->Valid();
  const std::string go_on = report.more ? at->key().ToString() : std::string();

  // Not synced: a step that a power loss undoes is simply done again, and the log keeps the order of writes.
  if (auto committed = commit(rocksdb::WriteOptions()); !committed) return fail(std::move(committed.error()));
  purge_from_ = go_on;
  count(counters_.purged, report.removed);
  return report;
}

// Stages the removal of one entry and, when the record is still the one that it was made for, of the record.
Result<bool> Writer::stage_purge(const rocksdb::Slice& entry_key) {
  batch_.Delete(engine().purge_entries(), entry_key);
  const auto entry = parse_purge_entry(entry_key);
  if (!entry) return fail(ErrorCode::data_damaged, "a purge entry is too short");
  const rocksdb::Slice key(entry->key.data(), entry->key.size());
  rocksdb::PinnableSlice stored;
  const rocksdb::Status status = engine().db().Get(rocksdb::ReadOptions(), engine().records(), key, &stored);
  if (status.IsNotFound()) return false;
  if (!status.ok()) return fail(to_error(status, "reading a record before purging it"));
  const auto head = decode_head(stored.ToStringView());
  if (!head) return fail(head.error());
  if (retention_start_ms(head->record) != entry->start_ms) return false;
  batch_.Delete(engine().records(), key);
  return true;
}

}  // namespace armazem::rocks
