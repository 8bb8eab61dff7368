#include "adapters/redis/entry_codec.h"

#include <algorithm>

namespace armazem::redis {
namespace {

constexpr char lease_tag = 'L';
constexpr char entry_tag = 'E';
constexpr std::size_t lease_epoch_at = 1;
constexpr std::size_t version_at = 1;
constexpr std::size_t entry_epoch_at = 17;
constexpr std::size_t stored_at = 25;
constexpr std::size_t flags_at = 33;
constexpr unsigned tombstone_flag = 1;
constexpr unsigned expiry_flag = 2;
constexpr int form_shift = 2;
constexpr unsigned form_mask = 3;
constexpr unsigned known_flags = tombstone_flag | expiry_flag | form_mask << form_shift;

static_assert(limits::content_type_bytes_max <= 255, "its length is one byte");
static_assert(flags_at + 1 == entry_header_bytes);

void put_u64(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xFF));
}

std::uint64_t get_u64(std::string_view in) noexcept {
  std::uint64_t value = 0;
  for (const char c : in.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void put_header(std::string& out, const Version& version, std::uint64_t stored_ms, unsigned flags) {
  out.push_back(entry_tag);
  out.append(version.bytes().begin(), version.bytes().end());
  put_u64(out, 0);
  put_u64(out, stored_ms);
  out.push_back(static_cast<char>(flags));
}

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "cached entry: " + std::string(what));
}

// The nil version has not the marks of a UUIDv7, which Version::from_bytes asks for.
Result<Version> read_version(std::string_view bytes) {
  if (std::ranges::all_of(bytes, [](char c) { return c == 0; })) return Version();
  return Version::from_bytes(bytes);
}

}  // namespace

std::string encode_entry(const std::optional<Record>& record, std::uint64_t stored_ms) {
  std::string out;
  if (!record || record->tombstone) {
    put_header(out, record ? record->version : Version(), stored_ms, tombstone_flag);
    return out;
  }
  const std::string& type = record->value.content_type;
  out.reserve(entry_header_bytes + 9 + type.size() + record->value.bytes.size());
  const unsigned form = static_cast<unsigned>(record->value.form) << form_shift;
  put_header(out, record->version, stored_ms, form | (record->expires_at_ms ? expiry_flag : 0));
  if (record->expires_at_ms) put_u64(out, *record->expires_at_ms);
  out.push_back(static_cast<char>(type.size()));
  out.append(type);
  out.append(record->value.bytes);
  return out;
}

std::string encode_header(const Version& version) {
  std::string out;
  put_header(out, version, 0, tombstone_flag);
  return out;
}

std::string encode_lease(std::uint64_t token) {
  std::string out(1, lease_tag);
  put_u64(out, 0);
  put_u64(out, token);
  return out;
}

void set_epoch(std::string& encoded, std::uint64_t epoch) noexcept {
  const std::size_t at = encoded.front() == lease_tag ? lease_epoch_at : entry_epoch_at;
  for (std::size_t i = 0; i < 8; ++i) encoded[at + i] = static_cast<char>(epoch >> (56 - 8 * i) & 0xFF);
}

Head read_head(std::string_view encoded) noexcept {
  if (encoded.empty()) return {};
  if (encoded.front() == lease_tag && encoded.size() == lease_bytes) {
    return {Kind::lease, get_u64(encoded.substr(lease_epoch_at))};
  }
  if (encoded.front() == entry_tag && encoded.size() >= entry_header_bytes) {
    return {Kind::entry, get_u64(encoded.substr(entry_epoch_at))};
  }
  return {};
}

Result<Entry> decode_entry(std::string&& encoded) {
  const std::string_view in = encoded;
  if (read_head(in).kind != Kind::entry) return damaged("no header");
  const auto version = read_version(in.substr(version_at, sizeof(Version)));
  if (!version) return damaged("wrong version");
  const unsigned flags = static_cast<unsigned char>(in[flags_at]);
  const unsigned form = flags >> form_shift & form_mask;
  if ((flags & ~known_flags) != 0 || form > static_cast<unsigned>(ValueForm::json)) return damaged("wrong flags");

  Entry entry;
  Record& record = entry.record;
  record.version = *version;
  entry.stored_ms = get_u64(in.substr(stored_at));
  record.tombstone = (flags & tombstone_flag) != 0;
  if (record.tombstone) {
    if (flags != tombstone_flag || in.size() != entry_header_bytes) return damaged("a tombstone with more");
    return entry;
  }
  if (version->is_nil()) return damaged("a value without a version");
  record.value.form = ValueForm{static_cast<std::uint8_t>(form)};
  std::size_t at = entry_header_bytes;
  if ((flags & expiry_flag) != 0) {
    if (in.size() < at + 8) return damaged("no expiry");
    record.expires_at_ms = get_u64(in.substr(at));
    at += 8;
  }
  if (in.size() <= at) return damaged("no content type");
  const std::size_t type_size = static_cast<unsigned char>(in[at++]);
  if (in.size() < at + type_size) return damaged("a cut content type");
  record.value.content_type = in.substr(at, type_size);
  encoded.erase(0, at + type_size);
  record.value.bytes = std::move(encoded);
  return entry;
}

}  // namespace armazem::redis
