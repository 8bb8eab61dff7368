#include <algorithm>
#include <cstring>

#include "http/request_parser.h"

namespace armazem::http {
namespace {

// Room for the method, the version, two blanks and the end of the line beside the longest target.
constexpr std::size_t request_line_bytes_max = target_bytes_max + 64;

Problem malformed(std::string detail) { return {ProblemType::request_invalid, std::move(detail)}; }

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

constexpr std::string_view tls_handshake = "\x16\x03";

// What arrives when something that is not HTTP/1.1 speaks to the port.
std::optional<Problem> other_protocol(std::string_view bytes) {
  if (bytes.starts_with(tls_handshake)) {
    return Problem{ProblemType::tls_on_plain_port, "the first bytes are a TLS handshake; use http:// for this port"};
  }
  constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n";
  if (bytes.starts_with(http2_preface)) {
    return Problem{ProblemType::http_version_unsupported, "HTTP/2 is not spoken here; use HTTP/1.1"};
  }
  return std::nullopt;
}

bool is_version_like(std::string_view text) noexcept {
  return text.size() >= 6 && text.starts_with("HTTP/") && text.find_first_not_of("0123456789.", 5) == text.npos;
}

Problem target_too_long() {
  Problem problem{ProblemType::uri_too_long, "the request target is longer than 8192 bytes"};
  problem.limit = target_bytes_max;
  return problem;
}

std::optional<Problem> check_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) {
    return malformed("the request line must have a method, a target and a version");
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > target_bytes_max) return target_too_long();
  if (target.find(' ') != target.npos) return malformed("the request target contains a blank; encode it as %20");
  const std::string_view version = line.substr(last + 1);
  if (!is_version_like(version)) return malformed("the request line does not end with an HTTP version");
  if (version != "HTTP/1.1") {
    return Problem{ProblemType::http_version_unsupported, "the request is " + std::string(version) + "; use HTTP/1.1"};
  }
  return std::nullopt;
}

std::optional<Problem> check_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return malformed("folded header lines are not accepted");
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return malformed("a header line has no name");
  if (line[colon - 1] == ' ' || line[colon - 1] == '\t') return malformed("a header name is followed by a blank");
  return std::nullopt;
}

Problem too_large(std::string detail, std::size_t limit) {
  Problem problem{ProblemType::headers_too_large, std::move(detail)};
  problem.limit = limit;
  return problem;
}

}  // namespace

HeadScan scan_head(std::string_view bytes, HeadScanProgress& progress) {
  HeadScan scan;
  if (bytes.starts_with("\r\n")) scan.skip = 2;
  bytes.remove_prefix(scan.skip);
  const auto fail = [&scan](Problem problem) {
    scan.problem = std::move(problem);
    return scan;
  };
  if (progress.line == 0) {
    if (auto other = other_protocol(bytes)) return fail(std::move(*other));
    if (bytes == tls_handshake.substr(0, 1)) return scan;  // the next byte tells
  }
  while (true) {
    // Nothing behind a limit is looked at, so that the answer does not depend on the pieces in which the bytes came.
    const bool first_line = progress.line == 0;
    const std::string_view allowed = bytes.substr(0, first_line ? request_line_bytes_max : header_bytes_max);
    const auto newline = allowed.find('\n', std::max(progress.seen, progress.line));
    const auto line_end = newline == allowed.npos ? allowed.size() : newline;
    const std::string_view line = allowed.substr(progress.line, line_end - progress.line);
    // A bare CR, NUL or other control byte is refused as soon as it is seen, so that random bytes do not wait for a
    // time-out.
    const bool ends_in_cr = !line.empty() && line.back() == '\r';
    const std::string_view text = ends_in_cr ? line.substr(0, line.size() - 1) : line;
    const std::size_t checked =
        std::min(progress.seen > progress.line ? progress.seen - progress.line : 0, text.size());
    if (std::ranges::any_of(text.substr(checked), is_control)) {
      return fail(malformed("a control byte stands in the request headers"));
    }
    if (newline == allowed.npos) {
      // A final CR is looked at again: what follows decides whether it is allowed.
      progress.seen = progress.line + text.size();
      if (bytes.size() == allowed.size()) return scan;
      return fail(first_line ? target_too_long()
                             : too_large("the headers are longer than 32768 bytes", header_bytes_max));
    }
    if (!ends_in_cr) return fail(malformed("a header line ends with a bare line feed"));
    if (first_line) {
      if (auto problem = check_request_line(text)) return fail(std::move(*problem));
    } else if (text.empty()) {
      scan.size = newline + 1;
      return scan;
    } else {
      if (++progress.fields > header_fields_max) {
        return fail(too_large("there are more than 100 header lines", header_fields_max));
      }
      if (auto problem = check_field_line(text)) return fail(std::move(*problem));
    }
    progress.line = newline + 1;
    progress.seen = newline + 1;
  }
}

}  // namespace armazem::http
