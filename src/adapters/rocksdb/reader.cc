#include "adapters/rocksdb/reader.h"

#include "adapters/rocksdb/record_codec.h"
#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

// Records, tombstones included, that one page looks at: some milliseconds, also when all of them are tombstones.
constexpr std::size_t looked_at_max = 10'000;

rocksdb::Slice slice(std::string_view text) noexcept { return {text.data(), text.size()}; }

// The smallest string above every string with that prefix; empty when there is none.
std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// Where a page begins: behind `after`, but never before the prefix.
std::string first_candidate(const ScanRequest& request) {
  if (!request.after || *request.after < request.prefix) return request.prefix;
  return *request.after + '\0';
}

// Appends the entry when it is live; returns the bytes that it counts.
Result<std::size_t> take_entry(const rocksdb::Iterator& at, const ScanRequest& request, ScanPage& page) {
  auto stored = decode_head(at.value().ToStringView());
  if (!stored) return fail(std::move(stored.error()));
  if (!stored->record.live_at(request.now_ms)) return std::size_t{0};
  auto key = Key::parse(at.key().ToString());
  if (!key) return fail(ErrorCode::data_damaged, "stored key: " + key.error().message);
  if (!request.keys_only) stored->record.value.bytes = stored->value;
  const std::size_t bytes = key->text().size() + stored->record.value.bytes.size();
  page.entries.push_back({std::move(*key), std::move(stored->record), stored->value.size()});
  return bytes;
}

}  // namespace

std::optional<Reader::Found> Reader::get_from_memory(const Engine& engine, std::string_view key) {
  return get(engine, key, rocksdb::kBlockCacheTier);
}

Reader::Found Reader::get(const Engine& engine, std::string_view key) {
  auto found = get(engine, key, rocksdb::kReadAllTier);
  return found ? std::move(*found) : Found(fail(ErrorCode::internal, "a full read was incomplete"));
}

std::optional<Reader::Found> Reader::get(const Engine& engine, std::string_view key, rocksdb::ReadTier tier) {
  rocksdb::ReadOptions read;
  read.read_tier = tier;
  rocksdb::PinnableSlice stored;
  const rocksdb::Status status = engine.db().Get(read, engine.records(), slice(key), &stored);
  if (status.IsIncomplete()) return std::nullopt;
  // When the table itself is not open, RocksDB (7.8) says OK with an empty value: 'the key may exist'. A record is never
  // empty.
  if (status.ok() && stored.empty() && tier == rocksdb::kBlockCacheTier) return std::nullopt;
  counters_.gets.add();
  if (status.IsNotFound()) {
    counters_.misses.add();
    return Found(std::nullopt);
  }
  if (!status.ok()) return Found(fail(to_error(status, "reading a record")));
  auto record = decode(stored.ToStringView());
  if (!record) return Found(fail(std::move(record.error())));
  return Found(std::move(*record));
}

Result<ScanPage> Reader::scan(const Engine& engine, const ScanRequest& request) {
  const std::string end = prefix_end(request.prefix);
  const rocksdb::Slice end_slice = slice(end);
  rocksdb::ReadOptions read;
  read.fill_cache = false;  // one pass over everything must not drive out what is read all the time
  if (!end.empty()) read.iterate_upper_bound = &end_slice;

  ScanPage page;
  std::size_t bytes = 0;
  std::size_t looked_at = 0;
  const std::unique_ptr<rocksdb::Iterator> at(engine.db().NewIterator(read, engine.records()));
  for (at->Seek(first_candidate(request)); at->Valid(); at->Next()) {
    // Here and not behind the entry: so the last page knows that it is the last.
    if (page.entries.size() == request.limit || bytes >= request.bytes_max || looked_at == looked_at_max) return page;
    const auto taken = take_entry(*at, request, page);
    if (!taken) return fail(taken.error());
    bytes += *taken;
    ++looked_at;
    page.next_after = at->key().ToString();
  }
  if (!at->status().ok()) return fail(to_error(at->status(), "scanning records"));
  page.next_after.reset();
  return page;
}

}  // namespace armazem::rocks
