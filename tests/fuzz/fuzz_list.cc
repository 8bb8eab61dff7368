// The query of a list and its cursor, base64, times and ranges: what is read can be written again and is the same.
#include <cstddef>
#include <cstdint>

#include "core/assert.h"
#include "core/base64.h"
#include "core/limits.h"
#include "core/list_cursor.h"
#include "http/byte_range.h"
#include "http/http_date.h"
#include "http/list_query.h"

using namespace armazem;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = http::parse_list_query(text);
  if (const auto* query = std::get_if<http::ListQuery>(&parsed)) {
    ARMAZEM_ASSERT(query->prefix.size() <= limits::key_bytes_max);
    ARMAZEM_ASSERT(!query->limit || (*query->limit >= 1 && *query->limit <= limits::scan_entries_max));
  }
  const std::string_view prefix = text.substr(0, size / 2);
  if (const auto key = decode_list_cursor(prefix, text.substr(size / 2))) {
    ARMAZEM_ASSERT(encode_list_cursor(prefix, *key) == text.substr(size / 2));
  }
  if (size > 0 && size <= limits::key_bytes_max && text.find('\0') == text.npos) {
    ARMAZEM_ASSERT(decode_list_cursor(prefix, encode_list_cursor(prefix, text)) == text);
  }
  std::string base64;
  append_base64(base64, text);
  ARMAZEM_ASSERT(decode_base64(base64) == text);
  if (const auto bytes = decode_base64(text)) {
    base64.clear();
    append_base64(base64, *bytes);
    ARMAZEM_ASSERT(base64 == text);
  }
  if (const auto ms = http::parse_rfc3339(text)) ARMAZEM_ASSERT(http::parse_rfc3339(http::rfc3339(*ms)) == ms);
  const http::ByteRange range = http::find_range(text, 1'000);
  ARMAZEM_ASSERT(range.kind != http::ByteRange::Kind::part || (range.count >= 1 && range.first + range.count <= 1'000));
  return 0;
}
