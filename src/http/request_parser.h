// From bytes to a request: a strict scan of the header block, then Boost.Beast's parser.
//
// Beast is lenient where two parsers in a chain may disagree (folded lines, unknown transfer codings, repeated lengths),
// which is what request smuggling lives on. So the scan refuses everything of RFC 9112 that is not needed by honest
// clients, before Beast sees a byte; what Beast then reports as an error is refused too. After any error the connection
// must be closed: where the next request begins is unknown.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "http/message.h"
#include "http/problem.h"

namespace armazem::http {

inline constexpr std::size_t header_bytes_max = 32 * 1024;
inline constexpr std::size_t header_fields_max = 100;
inline constexpr std::size_t target_bytes_max = 8192;

// Looks for the end of the header block at the start of `bytes`.
struct HeadScan {
  std::size_t skip = 0;                // an empty line before the request, which RFC 9112 section 2.2 asks to ignore
  std::optional<std::size_t> size;     // of the block behind it, with its final CRLFCRLF; nullopt: more bytes are needed
  std::optional<Problem> problem;
};
// Remembers how far the scan of one block has come, so that bytes that trickle in are looked at once. Start each block with
// a fresh one; between calls the block may only grow.
struct HeadScanProgress {
  std::size_t line = 0;                // where the first unfinished line begins
  std::size_t seen = 0;                // bytes looked at
  std::size_t fields = 0;
};
[[nodiscard]] HeadScan scan_head(std::string_view bytes, HeadScanProgress& progress);

// `block` is a complete header block as found by scan_head. It must stay where it is until the request is done, because
// `head` gets views into it.
[[nodiscard]] std::optional<Problem> parse_head(std::string_view block, RequestHead& head);

}  // namespace armazem::http
