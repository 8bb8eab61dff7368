// Decodes a chunked body (RFC 9112, section 7.1) by Boost.Beast's parser.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/problem.h"

namespace armazem::http {

inline constexpr std::size_t chunk_extension_bytes_max = 256;  // over one whole body
inline constexpr std::size_t trailer_bytes_max = 8 * 1024;

class ChunkedBody {
 public:
  // Decoded bytes beyond `body_bytes_max` make the body too large. With `drop`, what is decoded is counted and forgotten.
  ChunkedBody(std::size_t body_bytes_max, bool drop);
  ~ChunkedBody();

  struct Progress {
    std::size_t used = 0;            // present the rest again, with more behind it
    bool done = false;               // the body and its trailers, which are dropped, are complete
    bool too_large = false;
    std::optional<Problem> problem;  // the connection must be closed
  };
  // Takes bytes that follow the header block and appends what they carry to `body`.
  [[nodiscard]] Progress feed(std::string_view bytes, std::string& body);

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace armazem::http
