#include "http/gzip.h"

#include <zlib.h>

#include "core/assert.h"
#include "http/field_values.h"

namespace armazem::http {
namespace {

constexpr std::size_t bytes_min = 1024;
// About two and a half milliseconds at level 1 (zlib 1.2.13 on one core of a small virtual machine).
constexpr std::size_t bytes_max = 128 * 1024;
constexpr int level = 1;

// An empty result: it would not be smaller.
std::string gzip(std::string_view plain) {
  constexpr int gzip_window = 15 + 16;
  constexpr int memory_level = 8;
  z_stream stream{};
  ARMAZEM_ASSERT(deflateInit2(&stream, level, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(plain.size() - 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int state = deflate(&stream, Z_FINISH);
  packed.resize(state == Z_STREAM_END ? packed.size() - stream.avail_out : 0);
  deflateEnd(&stream);
  return packed;
}

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() > end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

bool is_text(const MediaType& media) noexcept {
  if (equal_ignoring_case(media.type, "text")) return true;
  if (is_json_type(media) || ends_with(media.subtype, "+xml")) return true;
  if (!equal_ignoring_case(media.type, "application")) return false;
  for (const std::string_view known : {"xml", "javascript", "x-ndjson", "yaml", "sql"}) {
    if (equal_ignoring_case(media.subtype, known)) return true;
  }
  return false;
}

}  // namespace

bool is_worth_gzip(std::string_view content_type, std::size_t size) noexcept {
  if (size < bytes_min || size > bytes_max) return false;
  const auto media = parse_media_type(content_type);
  return media && is_text(*media);
}

bool accepts_gzip(const RequestHead& head) {
  const auto accepted = head.header(Header::accept_encoding);
  return accepted && accepts_coding(*accepted, "gzip");
}

bool gzip_body(Response& response) {
  std::string packed = gzip(response.body);
  if (packed.empty()) return false;
  response.body = std::move(packed);
  response.headers.append("Content-Encoding: gzip\r\n");
  return true;
}

}  // namespace armazem::http
