#include "http/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>

#include "http/field_values.h"

namespace armazem::http {
namespace {

namespace beast = boost::beast;
using beast::error_code;

Problem malformed(std::string detail) { return {ProblemType::request_invalid, std::move(detail)}; }

Method method_of(beast::http::verb verb) noexcept {
  switch (verb) {
    case beast::http::verb::get: return Method::get;
    case beast::http::verb::head: return Method::head;
    case beast::http::verb::put: return Method::put;
    case beast::http::verb::delete_: return Method::remove;
    case beast::http::verb::post: return Method::post;
    case beast::http::verb::patch: return Method::patch;
    case beast::http::verb::options: return Method::options;
    default: return Method::other;
  }
}

struct HeaderRule {
  Header header;
  bool list;  // may come in several lines, which are joined by commas (RFC 9110, section 5.3)
};

std::optional<HeaderRule> rule_of(beast::http::field field, std::string_view name) noexcept {
  switch (field) {
    case beast::http::field::accept: return HeaderRule{Header::accept, true};
    case beast::http::field::accept_encoding: return HeaderRule{Header::accept_encoding, true};
    case beast::http::field::authorization: return HeaderRule{Header::authorization, false};
    case beast::http::field::cache_control: return HeaderRule{Header::cache_control, true};
    case beast::http::field::content_encoding: return HeaderRule{Header::content_encoding, true};
    case beast::http::field::content_type: return HeaderRule{Header::content_type, false};
    case beast::http::field::expect: return HeaderRule{Header::expect, false};
    case beast::http::field::host: return HeaderRule{Header::host, false};
    case beast::http::field::if_match: return HeaderRule{Header::if_match, true};
    case beast::http::field::if_none_match: return HeaderRule{Header::if_none_match, true};
    case beast::http::field::if_range: return HeaderRule{Header::if_range, false};
    case beast::http::field::prefer: return HeaderRule{Header::prefer, true};
    case beast::http::field::range: return HeaderRule{Header::range, true};
    case beast::http::field::unknown: break;
    default: return std::nullopt;
  }
  if (equal_ignoring_case(name, "X-Request-Id")) return HeaderRule{Header::x_request_id, false};
  if (equal_ignoring_case(name, "Idempotency-Key")) return HeaderRule{Header::idempotency_key, false};
  if (equal_ignoring_case(name, "Last-Event-ID")) return HeaderRule{Header::last_event_id, false};
  if (equal_ignoring_case(name, "Armazem-TTL")) return HeaderRule{Header::armazem_ttl, false};
  if (equal_ignoring_case(name, "Armazem-Min-Version")) return HeaderRule{Header::armazem_min_version, false};
  return std::nullopt;
}

// The absolute form (RFC 9112, section 3.2.2) is cut to its path; an empty path means "/".
std::string_view origin_form(std::string_view target) noexcept {
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (target.size() < scheme.size() || !equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto slash = target.find_first_of("/?", scheme.size());
    return slash == target.npos ? std::string_view("/") : target.substr(slash);
  }
  return target;
}

// Beast calls back for every element; what matters is put into `head_`.
class HeadParser final : public beast::http::basic_parser<true> {
 public:
  explicit HeadParser(RequestHead& head) : head_(head) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(boost::none);  // the connection bounds the body
  }

  std::optional<Problem> problem;

  [[nodiscard]] bool host_seen() const noexcept { return head_.header(Header::host).has_value(); }

 private:
  void refuse(error_code& ec, std::string detail) {
    problem = malformed(std::move(detail));
    ec = beast::http::error::bad_field;
  }

  void on_request_impl(beast::http::verb verb, beast::string_view, beast::string_view target, int, error_code& ec) override {
    head_.method = method_of(verb);
    head_.target = origin_form({target.data(), target.size()});
    const bool asterisk = head_.target == "*" && head_.method == Method::options;
    if (!asterisk && !head_.target.starts_with('/')) refuse(ec, "the request target must begin with a slash");
  }
  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view raw, error_code& ec) override {
    const std::string_view value(raw.data(), raw.size());
    if (field == beast::http::field::content_length) return content_length(value, ec);
    if (field == beast::http::field::transfer_encoding) return transfer_encoding(value, ec);
    const auto rule = rule_of(field, {name.data(), name.size()});
    if (rule) keep(*rule, value, ec);
  }

  void content_length(std::string_view value, error_code& ec) {
    if (head_.content_length) return refuse(ec, "Content-Length is repeated");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || end != value.data() + value.size()) return refuse(ec, "Content-Length is not a plain number");
    head_.content_length = number;
  }

  void transfer_encoding(std::string_view value, error_code& ec) {
    if (head_.chunked) return refuse(ec, "Transfer-Encoding is repeated");
    head_.chunked = true;
    if (equal_ignoring_case(value, "chunked")) return;
    problem = Problem{ProblemType::transfer_encoding_unsupported, "only the transfer encoding 'chunked' is supported"};
    ec = beast::http::error::bad_transfer_encoding;
  }

  void keep(HeaderRule rule, std::string_view value, error_code& ec) {
    const auto index = static_cast<std::size_t>(rule.header);
    auto& slot = head_.headers[index];
    if (!slot) {
      slot = value;
      return;
    }
    if (!rule.list) return refuse(ec, "a header that may come only once is repeated");
    if (!head_.joined) head_.joined = std::make_unique<std::deque<std::string>>();
    slot = head_.joined->emplace_back(std::string(*slot) + ", " + std::string(value));
  }

  void on_header_impl(error_code& ec) override {
    if (head_.chunked && head_.content_length) return refuse(ec, "both Content-Length and Transfer-Encoding are given");
    head_.keep_alive = keep_alive();
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view part, error_code&) override { return part.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view part, error_code&) override { return part.size(); }
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
};

}  // namespace

std::optional<Problem> parse_head(std::string_view block, RequestHead& head) {
  head = RequestHead{};
  HeadParser parser(head);
  error_code ec;
  parser.put(boost::asio::buffer(block.data(), block.size()), ec);
  if (parser.problem) return std::move(parser.problem);
  if (ec) return malformed("the request headers are malformed: " + ec.message());
  if (!parser.is_header_done()) return malformed("the request headers are incomplete");
  if (!parser.host_seen()) return malformed("the Host header is missing");
  return std::nullopt;
}

}  // namespace armazem::http
