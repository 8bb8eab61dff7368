#include "cli/http_client.h"

#include <sys/socket.h>

#include <cstring>
#include <limits>
#include <utility>

namespace armazem::cli {
namespace {

// A connection that rested longer than this is looked at before it is used: servers close idle ones.
constexpr std::chrono::seconds rest_unseen{1};

}  // namespace

Result<net::HostPort> parse_base_url(std::string_view url) {
  constexpr std::string_view http = "http://";
  const std::string given = "'" + std::string(url) + "'";
  if (url.starts_with("https://")) {
    return fail(ErrorCode::invalid_argument,
                given + ": https is not spoken here; give the address behind the proxy that ends TLS");
  }
  if (url.starts_with(http)) {
    url.remove_prefix(http.size());
    if (url.ends_with('/')) url.remove_suffix(1);
  }
  if (url.find_first_of("/?#@ ") != url.npos) {
    return fail(ErrorCode::invalid_argument, given + " must be http://HOST:PORT, without path, query or user");
  }
  return net::parse_host_port(url, 80);
}

HttpClient::HttpClient(net::IoLoop& loop, Sweeper& sweeper, const Endpoint& endpoint, std::size_t body_bytes_max)
    : loop_(loop),
      sweeper_(sweeper),
      endpoint_(endpoint),
      host_(endpoint.name.text()),
      body_bytes_max_(body_bytes_max) {
  sweeper_.add(*this);
}

HttpClient::~HttpClient() { sweeper_.remove(*this); }

void HttpClient::sweep(MonotonicTime now) {
  if (!waiting_ || !socket_ || now < std::min(deadline_, sweeper_.latest())) return;
  timed_out_ = true;
  socket_->cancel();
}

Task<Result<void>> HttpClient::exchange(HttpRequest request, Deadline deadline, HttpAnswer& answer) {
  answer.clear();
  deadline_ = deadline.time();
  timed_out_ = false;
  waiting_ = true;
  if (socket_ && went_stale()) socket_.reset();
  if (!socket_) {
    Result<void> connected = co_await connect();
    if (!connected) {
      waiting_ = false;
      co_return connected;
    }
  }
  compose(request);
  const std::size_t bytes_max = request.sink != nullptr ? std::numeric_limits<std::size_t>::max() : body_bytes_max_;
  AnswerParser parser(bytes_max, request.method == "HEAD");
  net::WriteAll write(*socket_, head_, request.body);
  const net::IoResult sent = co_await write;
  Result<void> done;
  if (sent.error != 0) {
    done = fail(lost(sent.error));
  } else {
    done = co_await receive(request, parser, answer);
  }
  waiting_ = false;
  last_used_ = sweeper_.now();
  // Bytes that nobody asked for would be taken for the next answer.
  if (!done || !answer.keep_alive || !in_.unread().empty()) {
    socket_.reset();
    in_.consume(in_.unread().size());
  }
  co_return done;
}

Task<Result<void>> HttpClient::connect() {
  Error why{ErrorCode::unavailable, "cannot connect: no address"};
  for (const net::SocketAddress& address : endpoint_.addresses) {
    Result<net::FileDescriptor> begun = net::begin_connect(address);
    int error = 0;
    if (begun) {
      socket_.emplace(std::move(*begun), loop_);
      net::Connected connected(*socket_);
      error = co_await connected;
      if (error == 0) co_return Result<void>();
      socket_.reset();
    } else {
      why = std::move(begun.error());
    }
    if (timed_out_) co_return fail(ErrorCode::deadline_exceeded, "cannot connect: no answer in time");
    if (error != 0) why.message = std::string("cannot connect: ") + std::strerror(error);
  }
  co_return fail(std::move(why));
}

Task<Result<void>> HttpClient::receive(const HttpRequest& request, AnswerParser& parser, HttpAnswer& answer) {
  while (true) {
    net::ReadSome read(*socket_, in_.prepare());
    const net::IoResult received = co_await read;
    if (received.error == net::end_of_stream && answer.status >= 200) co_return parser.end_of_stream();
    if (received.error != 0) co_return fail(lost(received.error));
    in_.commit(received.bytes);
    const Result<std::size_t> used = parser.feed(in_.unread(), answer);
    if (!used) co_return fail(used.error());
    in_.consume(*used);
    const Result<void> taken = hand_on(request, answer);
    if (!taken) co_return taken;
    if (parser.done()) co_return Result<void>();
  }
}

Result<void> HttpClient::hand_on(const HttpRequest& request, HttpAnswer& answer) {
  if (request.sink == nullptr || answer.body.empty()) return {};
  if (answer.status >= 300) {
    if (answer.body.size() > body_bytes_max_) return fail(ErrorCode::internal, "the answer is too large");
    return {};
  }
  Result<void> taken = request.sink->take(answer.body);
  answer.body.clear();
  deadline_ = sweeper_.now() + request.sink_patience;
  return taken;
}

// The other side has closed, or has said something unasked.
bool HttpClient::went_stale() const {
  if (sweeper_.now() - last_used_ < rest_unseen) return false;
  char byte = 0;
  const ssize_t seen = ::recv(socket_->descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return seen >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void HttpClient::compose(const HttpRequest& request) {
  head_.assign(request.method)
      .append(" ")
      .append(request.target)
      .append(" HTTP/1.1\r\nHost: ")
      .append(host_)
      .append("\r\n");
  head_.append(request.headers);
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
    head_.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  head_.append("\r\n");
}

Error HttpClient::lost(int error) {
  if (timed_out_) return {ErrorCode::outcome_unknown, "no answer in time"};
  if (error == net::end_of_stream) return {ErrorCode::outcome_unknown, "connection closed before the answer"};
  return {ErrorCode::outcome_unknown, std::string("connection lost: ") + std::strerror(error)};
}

}  // namespace armazem::cli
