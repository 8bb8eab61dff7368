// Reads one HTTP/1.1 answer (RFC 9112) from bytes that come in pieces: with Content-Length, chunked, or up to the end of
// the connection. No socket in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "http/chunked_body.h"

namespace armazem::cli {

struct HttpAnswer {
  int status = 0;
  std::string head;  // the header lines as they came, each with its CRLF
  std::string body;
  bool keep_alive = true;  // the connection may be used again

  // The value of the first field of that name, in either case.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
  void clear();
};

class AnswerParser {
 public:
  static constexpr std::size_t head_bytes_max = 64 * 1024;

  // `head_only`: the answer of a HEAD, which has no body whatever its headers say.
  explicit AnswerParser(std::size_t body_bytes_max, bool head_only = false) noexcept
      : body_bytes_max_(body_bytes_max), head_only_(head_only) {}

  // Takes what it can use and returns how much that was; present the rest again, with more behind it. internal: the answer
  // is malformed or too large, and the connection cannot be used any more.
  [[nodiscard]] Result<std::size_t> feed(std::string_view bytes, HttpAnswer& answer);
  // The other side has closed. internal: in the middle of the answer.
  [[nodiscard]] Result<void> end_of_stream();
  [[nodiscard]] bool done() const noexcept { return state_ == State::done; }

 private:
  enum class State : std::uint8_t { head, sized, chunked, until_end, done };
  [[nodiscard]] Result<std::size_t> feed_head(std::string_view bytes, HttpAnswer& answer);
  [[nodiscard]] Result<std::size_t> feed_chunks(std::string_view bytes, HttpAnswer& answer);
  [[nodiscard]] Result<void> begin_body(HttpAnswer& answer);

  const std::size_t body_bytes_max_;
  const bool head_only_;
  State state_ = State::head;
  std::uint64_t left_ = 0;  // of a sized body
  std::optional<http::ChunkedBody> chunks_;
};

}  // namespace armazem::cli
