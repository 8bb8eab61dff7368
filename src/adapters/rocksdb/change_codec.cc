#include "adapters/rocksdb/change_codec.h"

#include "adapters/changes.h"
#include "adapters/rocksdb/content_type_codec.h"

namespace armazem::rocks {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::size_t position_bytes = 8;
// A page of a watch reads an entry as a whole; a batch of small writes makes one.
constexpr std::size_t chunk_bytes = std::size_t{64} << 10;

constexpr std::uint8_t removed_flag = 1;
constexpr std::uint8_t expiry_flag = 2;
constexpr int form_shift = 2;
constexpr std::uint8_t form_mask = 3;
constexpr std::uint8_t left_out_flag = 16;
constexpr std::uint8_t all_flags = 31;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "change log: " + std::string(what));
}

std::uint8_t flags_of(const Record& record) noexcept {
  if (record.tombstone) return removed_flag;
  unsigned flags = static_cast<unsigned>(record.value.form) << form_shift;
  if (record.expires_at_ms) flags |= expiry_flag;
  if (!logged_whole(record.value.bytes)) flags |= left_out_flag;
  return static_cast<std::uint8_t>(flags);
}

// A change whose parts are still where they were read.
struct RawChange {
  std::uint8_t flags = 0;
  std::string_view key;
  std::string_view version;
  std::uint64_t expires_at_ms = 0;
  std::string content_type;
  std::uint64_t size = 0;
  std::string_view value;

  [[nodiscard]] bool has(std::uint8_t flag) const noexcept { return (flags & flag) != 0; }
};

bool read_value(ByteReader& in, RawChange& raw) {
  if (raw.has(expiry_flag)) raw.expires_at_ms = in.varint();
  if (!read_content_type(in, raw.content_type)) return false;
  raw.size = in.varint();
  if (!raw.has(left_out_flag)) raw.value = in.take(raw.size);
  return in.ok();
}

bool read_raw(ByteReader& in, RawChange& raw) {
  raw.flags = in.byte();
  raw.key = in.take(in.varint());
  raw.version = in.take(sizeof(Version::Bytes));
  const unsigned form = (raw.flags >> form_shift) & form_mask;
  if (!in.ok() || raw.flags > all_flags || form > static_cast<unsigned>(ValueForm::json)) return false;
  return raw.has(removed_flag) ? raw.flags == removed_flag : read_value(in, raw);
}

Result<Change> make(std::uint64_t position, RawChange raw) {
  auto key = Key::parse(std::string(raw.key));
  const auto version = Version::from_bytes(raw.version);
  if (!key || !version) return damaged("wrong key or version");
  Change change{position, std::move(*key), *version, std::nullopt};
  if (raw.has(removed_flag)) return change;
  const ValueForm form{static_cast<std::uint8_t>((raw.flags >> form_shift) & form_mask)};
  change.value = ChangedValue{std::move(raw.content_type), form, raw.size, std::nullopt, std::nullopt};
  if (!raw.has(left_out_flag)) change.value->bytes = raw.value;
  if (raw.has(expiry_flag)) change.value->expires_at_ms = raw.expires_at_ms;
  return change;
}

}  // namespace

std::string change_entry_key(std::uint64_t last_position) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(last_position >> shift));
  return out;
}

void ChangeChunk::add(std::string_view key, const Record& record) {
  ++count_;
  body_.push_back(static_cast<char>(flags_of(record)));
  put_varint(body_, key.size());
  body_.append(key);
  const Version::Bytes& version = record.version.bytes();
  body_.append(reinterpret_cast<const char*>(version.data()), version.size());
  if (record.tombstone) return;
  if (record.expires_at_ms) put_varint(body_, *record.expires_at_ms);
  put_content_type(body_, record.value.content_type);
  put_varint(body_, record.value.bytes.size());
  if (logged_whole(record.value.bytes)) body_.append(record.value.bytes);
}

bool ChangeChunk::full() const noexcept { return body_.size() >= chunk_bytes; }

std::string ChangeChunk::head() const {
  std::string out(1, static_cast<char>(format));
  put_varint(out, count_);
  return out;
}

void ChangeChunk::clear() noexcept {
  count_ = 0;
  body_.clear();
}

Result<StoredChunk> parse_chunk(const rocksdb::Slice& entry_key, std::string_view entry) {
  StoredChunk chunk;
  if (entry_key.size() != position_bytes) return damaged("wrong position");
  for (const char byte : entry_key.ToStringView()) chunk.last = chunk.last << 8 | static_cast<unsigned char>(byte);
  ByteReader in(entry);
  if (in.byte() != format || !in.ok()) return damaged("unknown format");
  const std::uint64_t count = in.varint();
  if (!in.ok() || count > chunk.last) return damaged("wrong count");
  chunk.first = chunk.last - count + 1;
  chunk.changes = in.rest();
  return chunk;
}

Result<void> read_chunk(const StoredChunk& chunk, const ChangesRequest& request, ChangePage& page, std::size_t& bytes) {
  ByteReader in(chunk.changes);
  for (std::uint64_t position = chunk.first; position <= chunk.last; ++position) {
    if (page.changes.size() == request.limit || bytes >= request.bytes_max) return {};
    RawChange raw;
    if (!read_raw(in, raw)) return damaged("wrong form");
    if (position <= request.after) continue;
    auto change = make(position, std::move(raw));
    if (!change) return fail(std::move(change.error()));
    bytes += change->size_bytes();
    page.next = position;
    page.changes.push_back(std::move(*change));
  }
  return in.rest().empty() ? Result<void>() : damaged("more than was counted");
}

}  // namespace armazem::rocks
