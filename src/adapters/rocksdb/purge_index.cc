#include "adapters/rocksdb/purge_index.h"

namespace armazem::rocks {
namespace {

constexpr std::size_t time_bytes = 8;

}  // namespace

std::string purge_entry_key(std::uint64_t start_ms, std::string_view key) {
  std::string out;
  out.reserve(time_bytes + key.size());
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(start_ms >> shift));
  out.append(key);
  return out;
}

std::optional<PurgeEntry> parse_purge_entry(const rocksdb::Slice& entry_key) noexcept {
  const std::string_view bytes = entry_key.ToStringView();
  if (bytes.size() <= time_bytes) return std::nullopt;
  PurgeEntry entry;
  for (std::size_t i = 0; i < time_bytes; ++i)
    entry.start_ms = entry.start_ms << 8 | static_cast<unsigned char>(bytes[i]);
  entry.key = bytes.substr(time_bytes);
  return entry;
}

}  // namespace armazem::rocks
