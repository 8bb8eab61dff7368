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
  // Decoded bytes beyond `keep_bytes_max` make the body too large: it is then read on and forgotten, up to
  // `read_bytes_max`, so that the connection can go on. 0 to keep nothing from the start.
  ChunkedBody(std::size_t keep_bytes_max, std::size_t read_bytes_max);
  ~ChunkedBody();

  struct Progress {
    std::size_t used = 0;            // present the rest again, with more behind it
    bool done = false;               // the body and its trailers, which are dropped, are complete
    bool endless = false;            // `read_bytes_max` was passed: the connection must be closed
    std::optional<Problem> problem;  // the connection must be closed
  };
  // Takes bytes that follow the header block and appends what they carry to `body`.
  [[nodiscard]] Progress feed(std::string_view bytes, std::string& body);
  [[nodiscard]] bool too_large() const noexcept;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace armazem::http
