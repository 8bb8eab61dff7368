#include "http/chunked_body.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "core/assert.h"

namespace armazem::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

// The real headers were parsed before; this parser is only asked for what comes behind them.
constexpr std::string_view stand_in_head = "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

// Beast must not be asked twice about a body that consists of less than this: it has an assertion against it.
constexpr std::string_view shortest_body = "0\r\n\r\n";
bool may_become_shortest_body(std::string_view bytes) noexcept {
  return bytes.starts_with('0') && bytes.size() < shortest_body.size();
}

bool has_bare_line_feed(std::string_view lines) noexcept {
  for (auto at = lines.find('\n'); at != lines.npos; at = lines.find('\n', at + 1)) {
    if (at == 0 || lines[at - 1] != '\r') return true;
  }
  return false;
}

// A chunk's size line, or the last one with the trailers. Asked whether complete or not, and in however many pieces they
// came.
std::optional<Problem> check_lines(std::string_view lines) {
  if (lines.size() > trailer_bytes_max) {
    return Problem{ProblemType::request_invalid, "a chunk header or the trailers are too long"};
  }
  if (has_bare_line_feed(lines)) {
    return Problem{ProblemType::request_invalid, "a line of the chunked body ends with a bare line feed"};
  }
  return std::nullopt;
}

}  // namespace

class ChunkedBody::Parser final : public beast::http::basic_parser<true> {
 public:
  Parser(std::size_t keep_bytes_max, std::size_t read_bytes_max)
      : keep_bytes_max_(keep_bytes_max), read_bytes_max_(read_bytes_max) {
    body_limit(boost::none);
    error_code ec;
    put(boost::asio::buffer(stand_in_head), ec);
    ARMAZEM_ASSERT(!ec && is_header_done());
  }

  std::string* body = nullptr;
  bool endless = false;

  [[nodiscard]] bool too_large() const noexcept { return decoded_ > keep_bytes_max_; }
  [[nodiscard]] bool between_chunks() const noexcept { return chunk_bytes_left_ == 0; }

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(beast::http::field, beast::string_view, beast::string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view part, error_code&) override { return part.size(); }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view extensions, error_code& ec) override {
    if (size > read_bytes_max_ - decoded_) {  // refused before its bytes are waited for
      endless = true;
      ec = beast::http::error::body_limit;
      return;
    }
    chunk_bytes_left_ = size;
    extension_bytes_ += extensions.size();
    if (extension_bytes_ > chunk_extension_bytes_max) ec = beast::http::error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) override {
    chunk_bytes_left_ -= part.size();
    decoded_ += part.size();  // bounded by the check of each chunk's announced size
    if (!too_large()) {
      body->append(part.data(), part.size());
    } else if (!body->empty()) {
      *body = std::string();
    }
    return part.size();
  }
  void on_finish_impl(error_code&) override {}

  const std::size_t keep_bytes_max_;
  const std::size_t read_bytes_max_;
  std::size_t decoded_ = 0;
  std::uint64_t chunk_bytes_left_ = 0;
  std::size_t extension_bytes_ = 0;
};

ChunkedBody::ChunkedBody(std::size_t keep_bytes_max, std::size_t read_bytes_max)
    : parser_(std::make_unique<Parser>(keep_bytes_max, read_bytes_max)) {}
ChunkedBody::~ChunkedBody() = default;

bool ChunkedBody::too_large() const noexcept { return parser_->too_large(); }

ChunkedBody::Progress ChunkedBody::feed(std::string_view bytes, std::string& body) {
  Progress progress;
  parser_->body = &body;
  error_code ec;
  while (!parser_->is_done()) {
    const std::string_view rest = bytes.substr(progress.used);
    const bool between_chunks = parser_->between_chunks();
    if (rest.empty() || (between_chunks && may_become_shortest_body(rest))) return progress;
    const std::size_t used = parser_->put(boost::asio::buffer(rest.data(), rest.size()), ec);
    progress.used += used;
    if (parser_->endless) {
      progress.endless = true;
      return progress;
    }
    const bool needs_more = ec == beast::http::error::need_more;
    if (ec && !needs_more) {
      progress.problem = Problem{ProblemType::request_invalid, "the chunked body is malformed: " + ec.message()};
    } else if (between_chunks) {
      progress.problem = check_lines(needs_more ? rest : rest.substr(0, used));
    }
    if (progress.problem || needs_more) return progress;
  }
  progress.done = true;
  return progress;
}

}  // namespace armazem::http
