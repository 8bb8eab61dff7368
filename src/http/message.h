// What a request and an answer are between the connection and the handlers.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "access/peer_address.h"
#include "core/deadline.h"
#include "core/key.h"
#include "core/mutation.h"
#include "http/body_stream.h"

namespace armazem {
struct ApiKey;
}

namespace armazem::http {

class Access;

enum class Method : std::uint8_t { get, head, put, remove, post, patch, options, other };
inline constexpr std::size_t method_count = 8;
[[nodiscard]] std::string_view to_string(Method method) noexcept;

// The headers that mean something to us. All others are checked for form and dropped.
enum class Header : std::uint8_t {
  accept, accept_encoding, armazem_min_version, armazem_ttl, authorization, cache_control, content_encoding, content_type, expect, host,
  idempotency_key, if_match, if_none_match, if_range, last_event_id, prefer, range, x_request_id,
};
inline constexpr std::size_t header_count = 18;

// Views point into the connection's buffer and stay valid until the answer has been written.
struct RequestHead {
  Method method = Method::other;
  std::string_view target;  // origin form, as it came
  std::array<std::optional<std::string_view>, header_count> headers;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = true;
  // Values of list headers that came in several lines, joined by commas; their views point here.
  std::unique_ptr<std::deque<std::string>> joined;

  [[nodiscard]] std::optional<std::string_view> header(Header name) const noexcept {
    return headers[static_cast<std::size_t>(name)];
  }
  [[nodiscard]] bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

// Labels of the request metrics, in this order.
enum class Route : std::uint8_t {
  store, store_key, operation, batch, watch, health_live, health_ready, metrics, openapi, swagger_ui, dashboard, other,
};
inline constexpr std::size_t route_count = 12;
[[nodiscard]] std::string_view to_string(Route route) noexcept;

// What the headers of a read say.
struct ReadHeaders {
  bool strong = false;                        // Cache-Control: no-cache
  Version at_least;                           // Armazem-Min-Version; nil: none given
};

// What the query of a list says.
struct ListQuery {
  std::string prefix;
  std::optional<std::string> after;           // the key behind which the list goes on
  std::optional<std::size_t> limit;           // entries
  bool keys_only = false;
  bool base64 = false;                        // all values in base64
};

// What the headers of a write say; checked before its body is read.
struct WriteHeaders {
  Condition condition;
  std::int64_t ttl_seconds = 0;               // 0: none given
  std::string_view idempotency_key;           // empty: none given
  std::optional<int> wait_seconds;            // Prefer: wait=N
  bool respond_async = false;                 // Prefer: respond-async
};

// Who asks, found out by http/access.h; both empty while keys are off and on routes that ask for none.
struct Identity {
  Access* access = nullptr;
  std::shared_ptr<const ApiKey> key;
};

struct Request {
  RequestHead head;
  MonotonicTime begun;           // when the headers were complete
  PeerAddress peer{};            // of the connection
  Identity identity;
  Route route = Route::other;
  std::optional<Key> key;        // of store_key and operation
  Version operation;             // of operation
  std::string_view query;        // without the '?'
  std::string_view path;         // without the query
  bool raw = false;              // ?raw
  ReadHeaders read;              // of GET and HEAD
  ListQuery list;                // of GET and HEAD of store
  WriteHeaders write;            // of PUT and DELETE
  std::size_t body_bytes_max = 0;  // set by Handler::admit: a longer body is refused
  bool drop_body = false;        // set by Handler::admit: read it, keep nothing
  std::string body;
};

struct Response {
  int status = 200;
  std::string headers;           // complete lines, each ending in CRLF
  std::string body;
  std::string_view static_body;  // used instead of `body` when not empty; lives as long as the program
  std::unique_ptr<BodyStream> stream;  // used instead of both when there: content that is made while it is sent

  void clear() {
    status = 200;
    headers.clear();
    body.clear();
    static_body = {};
    stream.reset();
  }
  void add_header(std::string_view name, std::string_view value) {
    headers.append(name).append(": ").append(value).append("\r\n");
  }
  [[nodiscard]] std::string_view content() const noexcept { return static_body.empty() ? body : static_body; }
};

[[nodiscard]] std::string_view reason_phrase(int status) noexcept;

}  // namespace armazem::http
