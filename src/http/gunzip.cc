#include "http/gunzip.h"

#include <zlib.h>

#include <array>

#include "core/assert.h"

namespace armazem::http {

std::string gunzip(std::string_view packed) {
  constexpr int gzip_window = 15 + 16;
  z_stream stream{};
  ARMAZEM_ASSERT(inflateInit2(&stream, gzip_window) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  std::array<char, 16 * 1024> piece;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  ARMAZEM_ASSERT(state == Z_STREAM_END);
  return out;
}

}  // namespace armazem::http
