// One kept-alive HTTP/1.1 connection to one server, for the commands of this program that are clients.
//
// Nothing is ever sent twice: a request whose answer is missing may have had its effect, and only the caller knows whether
// it may be repeated. What a deadline ends is ended up to Sweeper::period late.
//
// Thread rule: the loop's own thread. One exchange at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/answer_parser.h"
#include "core/deadline.h"
#include "core/result.h"
#include "core/sweeper.h"
#include "core/task.h"
#include "http/read_buffer.h"
#include "net/connect.h"
#include "net/io_handle.h"

namespace armazem::cli {

// Takes the body of a successful answer (2xx) piece by piece, as it comes.
class BodySink {
 public:
  // A failure ends the exchange with it, and the connection is closed. May block: the time does not count.
  virtual Result<void> take(std::string_view piece) = 0;

 protected:
  ~BodySink() = default;
};

// Views must stay valid until the exchange has ended.
struct HttpRequest {
  std::string_view method = "GET";
  std::string_view target;  // origin form, encoded
  std::string_view headers;  // complete lines, each ending in CRLF; Host and Content-Length are added
  std::string_view body;  // no Content-Length is sent for an empty one, save with PUT and POST
  BodySink* sink = nullptr;  // in place of HttpAnswer::body, and without a bound
  std::chrono::milliseconds sink_patience{0};  // with a sink: what may pass between two pieces, whatever the deadline
};

// Where a server is: resolved once, so that a load test does not measure the resolver.
struct Endpoint {
  net::HostPort name;
  std::vector<net::SocketAddress> addresses;  // tried in this order
};

// "http://host[:port][/]", "host:port" or "host"; port 80 when none is given. invalid_argument says what is wrong.
[[nodiscard]] Result<net::HostPort> parse_base_url(std::string_view url);

class HttpClient final : private Sweepable {
 public:
  // All must outlive the client.
  HttpClient(net::IoLoop& loop, Sweeper& sweeper, const Endpoint& endpoint,
             std::size_t body_bytes_max = std::size_t{64} << 20);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Connects when there is no connection, sends, reads the whole answer. An answer of any status is a success.
  //   unavailable, deadline_exceeded   nothing was sent
  //   outcome_unknown                  it was sent, wholly or in part, and no answer came
  //   internal                         the answer is malformed or too large
  // The messages name the kind of failure and nothing of the request, so that they can be counted.
  Task<Result<void>> exchange(HttpRequest request, Deadline deadline, HttpAnswer& answer);
  // Whether the last exchange ended by its deadline.
  [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

 private:
  void sweep(MonotonicTime now) override;
  Task<Result<void>> connect();
  Task<Result<void>> receive(const HttpRequest& request, AnswerParser& parser, HttpAnswer& answer);
  Result<void> hand_on(const HttpRequest& request, HttpAnswer& answer);
  [[nodiscard]] bool went_stale() const;
  void compose(const HttpRequest& request);
  Error lost(int error);

  net::IoLoop& loop_;
  Sweeper& sweeper_;
  const Endpoint& endpoint_;
  const std::string host_;
  const std::size_t body_bytes_max_;
  std::optional<net::IoHandle> socket_;
  http::ReadBuffer in_;
  std::string head_;
  MonotonicTime deadline_ = MonotonicTime::max();
  MonotonicTime last_used_;
  bool waiting_ = false;
  bool timed_out_ = false;
};

}  // namespace armazem::cli
