#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/chunked_body.h"
#include "http/field_values.h"
#include "http/request_parser.h"
#include "runtime/log.h"

namespace armazem::http {
namespace {

// Answers gather in memory up to this size before they are written.
constexpr std::size_t gather_bytes_max = 64 * 1024;
// Content above this size is written from where it is instead of being copied behind its headers.
constexpr std::size_t copy_bytes_max = 16 * 1024;
// A refused body up to this size is read and dropped, so that the connection stays usable.
constexpr std::uint64_t skip_bytes_max = std::uint64_t{16} << 20;
// A client that pipelines without end must not keep the loop to itself.
constexpr std::uint64_t requests_in_a_row_max = 128;
constexpr std::size_t linger_bytes_max = 1 << 20;
constexpr std::chrono::milliseconds linger_timeout{1'000};
constexpr std::size_t body_read_bytes = 16 * 1024;

bool has_no_content(int status) noexcept { return status == 204 || status == 304; }

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

void append_chunk_size(std::string& out, std::size_t size) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, size, 16);
  out.append(digits, end).append("\r\n");
}

Problem body_budget_problem() {
  return {ProblemType::overloaded, "the server holds as many request bodies as it may; try again"};
}

Problem timeout_problem(std::string_view what) {
  return {ProblemType::request_timeout, std::string(what) + " did not arrive in time"};
}

Problem value_too_large(std::size_t limit, std::optional<std::uint64_t> size) {
  Problem problem{ProblemType::value_too_large, "the body is larger than the " + std::to_string(limit) + " bytes allowed here"};
  problem.limit = limit;
  problem.size = size;
  return problem;
}

}  // namespace

Connection::Connection(net::FileDescriptor socket, LoopContext& context)
    : socket_(std::move(socket), context.loop), context_(context), share_(context.budget) {
  const int on = 1;
  ::setsockopt(socket_.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  request_.peer = peer_of(socket_.descriptor());
  enter(Phase::idle, context_.options.idle_timeout);
}

Task<void> Connection::run() {
  while (keep_ && !lost_) {
    HeadScan scan = scan_head(in_.unread(), scan_progress_);
    if (!scan.size && !scan.problem) {
      if (!out_.empty()) {
        net::WriteAll write = flush();
        flushed(co_await write);
      }
      if (lost_ || !prepare_to_read()) break;
      net::ReadSome read(socket_, in_.prepare());
      const net::IoResult received = co_await read;
      in_.commit(received.bytes);
      if (received.error == 0) continue;
      if (!timed_out_ || in_.unread().empty()) break;
      scan.problem = timeout_problem("the request's headers");
    }
    std::optional<Problem> problem = begin_request(std::move(scan));
    if (!problem && request_.head.has_body()) problem = co_await read_body();
    if (lost_) break;
    if (problem) {
      answer_problem(*problem);
    } else {
      Task<Done> handled = context_.handler.handle(request_, response_);
      if (!handled.ready()) co_await wait_for(std::move(handled));
    }
    const bool stays_apart = append_answer();
    if (has_stream()) {
      co_await send_stream();
    } else if (stays_apart || out_.size() > gather_bytes_max) {
      co_await flush_with_content();
    }
    if (problem && body_is_unread() && !co_await skip_body()) keep_ = false;
    finish_request();
    if (++requests_ % requests_in_a_row_max == 0) co_await yield_now();
  }
  co_await end();
}

// False when there is nothing to wait for: the server stops and no request has begun.
bool Connection::prepare_to_read() {
  if (!in_.unread().empty()) {
    if (phase_ != Phase::header) enter(Phase::header, context_.options.header_timeout);
    return true;
  }
  if (context_.stopping) return false;
  in_.shrink_when_empty();
  enter(Phase::idle, context_.options.idle_timeout);
  return true;
}

// Answers to earlier requests of the pipeline do not wait for a slow one.
Task<void> Connection::wait_for(Task<Done> handled) {
  enter(Phase::handling, std::chrono::milliseconds::max());
  if (!out_.empty()) {
    net::WriteAll write = flush();
    flushed(co_await write);
  }
  co_await std::move(handled);
}

Task<void> Connection::end() {
  if (!out_.empty() && !lost_) {
    net::WriteAll write = flush();
    flushed(co_await write);
  }
  if (!lost_ && !keep_) co_await linger();
  socket_.close();
}

Task<void> Connection::turn_away() {
  request_.begun = context_.coarse_now;
  malformed_ = true;
  answer_problem({ProblemType::too_many_connections, "this server holds as many connections as it may; try again"});
  if (append_answer()) co_await flush_with_content();
  co_await end();
}

std::optional<Problem> Connection::begin_request(HeadScan scan) {
  scan_progress_ = {};
  in_.consume(scan.skip);
  request_.begun = MonotonicClock::now();
  malformed_ = true;
  if (scan.problem) return std::move(scan.problem);
  used_ = *scan.size;
  if (auto problem = parse_head(in_.unread().substr(0, used_), request_.head)) return problem;
  malformed_ = false;
  keep_ = request_.head.keep_alive && !context_.closing;
  if (auto problem = check_expectation()) return problem;
  if (auto problem = context_.handler.admit(request_)) return problem;
  const std::uint64_t length = request_.head.content_length.value_or(0);
  if (length > request_.body_bytes_max) return value_too_large(request_.body_bytes_max, length);
  return std::nullopt;
}

std::optional<Problem> Connection::check_expectation() const {
  const auto expect = request_.head.header(Header::expect);
  if (!expect || equal_ignoring_case(*expect, "100-continue")) return std::nullopt;
  return Problem{ProblemType::expectation_failed, "only 'Expect: 100-continue' is understood"};
}

bool Connection::body_is_unread() const noexcept { return keep_ && !lost_ && !body_read_ && request_.head.has_body(); }

// The client waits for a go-ahead, and none of its body has come yet.
bool Connection::wants_continue() const noexcept {
  return request_.head.header(Header::expect).has_value() && in_.unread().size() == used_;
}

Task<std::optional<Problem>> Connection::read_body() {
  if (wants_continue()) out_.append("HTTP/1.1 100 Continue\r\n\r\n");
  if (!out_.empty()) {
    net::WriteAll write = flush();
    flushed(co_await write);
    if (lost_) co_return std::nullopt;
  }
  enter(Phase::body, context_.options.body_timeout);
  if (request_.head.chunked) co_return co_await read_chunked_body();
  co_return co_await read_sized_body();
}

Task<std::optional<Problem>> Connection::read_sized_body() {
  const std::size_t size = *request_.head.content_length;
  std::string& body = request_.body;
  if (!request_.drop_body) {
    if (!share_.grow_to(size)) {
      context_.metrics.reject(Rejection::body_bytes);
      co_return body_budget_problem();
    }
    body.resize(size);
  }
  const std::string_view here = in_.unread().substr(used_, size);
  if (!request_.drop_body) std::ranges::copy(here, body.begin());
  used_ += here.size();
  std::string dropped(request_.drop_body ? std::min(size, body_read_bytes) : 0, '\0');
  for (std::size_t got = here.size(); got < size;) {
    const std::size_t left = size - got;
    char* const to = request_.drop_body ? dropped.data() : body.data() + got;
    net::ReadSome read(socket_, {to, request_.drop_body ? std::min(left, dropped.size()) : left});
    const net::IoResult received = co_await read;
    if (received.error) {
      if (timed_out_) co_return timeout_problem("the request's body");
      lost_ = true;
      co_return std::nullopt;
    }
    got += received.bytes;
  }
  co_return std::nullopt;
}

Task<std::optional<Problem>> Connection::read_chunked_body() {
  const std::size_t keep = request_.drop_body ? 0 : request_.body_bytes_max;
  ChunkedBody chunks(keep, std::max<std::size_t>(request_.body_bytes_max, skip_bytes_max));
  std::string raw(in_.unread().substr(used_));
  used_ = in_.unread().size();
  while (true) {
    ChunkedBody::Progress progress = chunks.feed(raw, request_.body);
    raw.erase(0, progress.used);
    if (progress.problem || progress.endless) {
      keep_ = false;  // where the next request begins is unknown
      co_return progress.problem ? std::move(*progress.problem) : value_too_large(request_.body_bytes_max, std::nullopt);
    }
    if (progress.done) break;
    if (!share_.grow_to(request_.body.size() + raw.size() + body_read_bytes)) {
      context_.metrics.reject(Rejection::body_bytes);
      keep_ = false;
      co_return body_budget_problem();
    }
    if (!co_await read_more(raw)) {
      if (timed_out_) co_return timeout_problem("the request's body");
      lost_ = true;
      co_return std::nullopt;
    }
  }
  behind_chunks_ = std::move(raw);
  body_read_ = true;
  if (chunks.too_large() && !request_.drop_body) co_return value_too_large(request_.body_bytes_max, std::nullopt);
  co_return std::nullopt;
}

Task<bool> Connection::read_more(std::string& to) {
  const std::size_t had = to.size();
  to.resize(had + body_read_bytes);
  net::ReadSome read(socket_, {to.data() + had, body_read_bytes});
  const net::IoResult received = co_await read;
  to.resize(had + received.bytes);
  co_return !received.error;
}

// The refusal was sent before the body was read. A client that waits for a 100 may never send it, so that connection ends.
Task<bool> Connection::skip_body() {
  if (!out_.empty()) {
    net::WriteAll write = flush();
    flushed(co_await write);
    if (lost_) co_return false;
  }
  const bool too_long = request_.head.content_length.value_or(0) > skip_bytes_max;
  if (too_long || request_.head.header(Header::expect)) co_return false;
  request_.drop_body = true;
  request_.body_bytes_max = skip_bytes_max;
  enter(Phase::body, context_.options.body_timeout);
  std::optional<Problem> problem;
  if (request_.head.chunked) {
    problem = co_await read_chunked_body();
  } else {
    problem = co_await read_sized_body();
  }
  co_return !problem && !lost_;
}

void Connection::answer_problem(const Problem& problem) {
  if (timed_out_) {
    context_.metrics.reject(phase_ == Phase::body ? Rejection::body_timeout : Rejection::header_timeout);
  } else if (malformed_) {
    context_.metrics.reject(Rejection::malformed);
  }
  if (malformed_ || timed_out_) keep_ = false;
  render(problem, malformed_ ? new_request_id() : request_id_or_new(request_.head), response_);
}

// An answer to HEAD names what would be sent, and sends nothing.
bool Connection::has_stream() const noexcept {
  return response_.stream != nullptr && (malformed_ || request_.head.method != Method::head);
}

bool Connection::append_answer() {
  const std::string_view content = response_.content();
  keep_ = keep_ && !context_.closing;
  out_.append("HTTP/1.1 ");
  append_number(out_, static_cast<std::uint64_t>(response_.status));
  out_.append(" ").append(reason_phrase(response_.status)).append("\r\n");
  out_.append(context_.date_line).append(response_.headers);
  if (response_.stream != nullptr) {
    out_.append("Transfer-Encoding: chunked\r\n");
  } else if (!has_no_content(response_.status)) {
    out_.append("Content-Length: ");
    append_number(out_, content.size());
    out_.append("\r\n");
  }
  if (!keep_) out_.append("Connection: close\r\n");
  out_.append("\r\n");
  if (has_no_content(response_.status) || (!malformed_ && request_.head.method == Method::head)) return false;
  if (content.size() > copy_bytes_max) return true;
  out_.append(content);
  return false;
}

// One piece at a time: the next is asked for when the last has left, so a slow reader holds one piece of memory. A stream
// that fails ends the connection without the last chunk, and the client knows that something is missing.
Task<void> Connection::send_stream() {
  streaming_ = response_.stream.get();
  if (context_.stopping) stop_stream();
  std::string piece;
  for (bool more = true; more && !lost_;) {
    enter(Phase::writing, context_.options.write_timeout);
    net::WriteAll write(socket_, out_, piece);
    flushed(co_await write);
    if (lost_) break;
    enter(Phase::handling, std::chrono::milliseconds::max());
    Result<std::string> next = co_await streaming_->next();
    if (!next) {
      lost_ = true;
      break;
    }
    piece = std::move(*next);
    more = !piece.empty();
    if (more) append_chunk_size(out_, piece.size());
    piece.append("\r\n");
  }
  streaming_ = nullptr;
  if (!lost_) out_.append("0\r\n\r\n");
}

void Connection::stop_stream() noexcept {
  if (streaming_ != nullptr) streaming_->stop();
}

void Connection::finish_request() {
  const auto spent = MonotonicClock::now() - request_.begun;
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count();
  const Route route = malformed_ ? Route::other : request_.route;
  const Method method = malformed_ ? Method::other : request_.head.method;
  context_.metrics.count(route, method, response_.status, static_cast<std::uint64_t>(nanoseconds));
  if (response_.status >= 500 || log::enabled(log::Level::debug)) log_request(nanoseconds);
  if (behind_chunks_) {
    in_.assign(*behind_chunks_);
    behind_chunks_.reset();
  } else if (!malformed_) {
    in_.consume(used_);
  }
  used_ = 0;
  share_.release();
  if (request_.body.capacity() > copy_bytes_max) request_.body = std::string();
  request_.body.clear();
  request_.key.reset();
  request_.identity = {};
  request_.read = {};
  request_.write = {};
  request_.drop_body = request_.raw = false;
  body_read_ = false;
  if (response_.body.capacity() > copy_bytes_max) response_.body = std::string();
  response_.clear();
  phase_ = Phase::idle;
  phase_end_ = MonotonicTime::max();
}

// Neither keys nor values: the request id is what ties a line to a client's request.
void Connection::log_request(std::int64_t nanoseconds) const {
  constexpr std::string_view name = "X-Request-Id: ";
  const auto at = response_.headers.find(name);
  std::string_view id;
  if (at != std::string::npos) id = std::string_view(response_.headers).substr(at + name.size());
  const std::initializer_list<log::Field> fields = {
      {"status", response_.status}, {"method", to_string(request_.head.method)}, {"route", to_string(request_.route)},
      {"request_id", id.substr(0, id.find('\r'))}, {"microseconds", nanoseconds / 1000}};
  if (response_.status < 500 || std::exchange(context_.failure_logged, true)) return log::write(log::Level::debug, "request", fields);
  log::write(log::Level::warn, "request failed", fields);
}

Task<void> Connection::flush_with_content() {
  const std::string_view content = response_.content();
  const bool head_only = has_no_content(response_.status) || (!malformed_ && request_.head.method == Method::head);
  const bool separate = !head_only && content.size() > copy_bytes_max;
  enter(Phase::writing, context_.options.write_timeout);
  net::WriteAll write(socket_, out_, separate ? content : std::string_view());
  flushed(co_await write);
}

net::WriteAll Connection::flush() {
  if (phase_ != Phase::handling) enter(Phase::writing, context_.options.write_timeout);
  return net::WriteAll(socket_, out_, {});
}

void Connection::flushed(const net::IoResult& result) {
  if (result.error) lost_ = true;
  out_.clear();
  if (out_.capacity() > gather_bytes_max) out_ = std::string();
}

// Lets the client read the last answer: closing at once while it still sends would reset the connection and drop it.
Task<void> Connection::linger() {
  socket_.shutdown_send();
  timed_out_ = false;
  enter(Phase::lingering, linger_timeout);
  char dropped[4096];
  for (std::size_t got = 0; got < linger_bytes_max;) {
    net::ReadSome read(socket_, dropped);
    const net::IoResult received = co_await read;
    if (received.error) break;
    got += received.bytes;
  }
}

void Connection::enter(Phase phase, std::chrono::milliseconds limit) {
  phase_ = phase;
  phase_end_ = limit == std::chrono::milliseconds::max() ? MonotonicTime::max() : context_.coarse_now + limit;
}

void Connection::sweep(MonotonicTime now) {
  if (streaming_ != nullptr && phase_ == Phase::handling && socket_.hung_up()) {
    lost_ = true;
    stop_stream();
  }
  if (now < phase_end_) return;
  phase_end_ = MonotonicTime::max();
  timed_out_ = true;
  if (phase_ == Phase::idle) context_.metrics.reject(Rejection::idle_timeout);
  if (phase_ == Phase::writing) context_.metrics.reject(Rejection::write_timeout);
  socket_.cancel();
}

void Connection::begin_stop() {
  stop_stream();
  if (phase_ != Phase::idle || !in_.unread().empty()) return;
  socket_.cancel();
}

void Connection::abort() {
  lost_ = true;
  keep_ = false;
  stop_stream();
  socket_.cancel();
}

}  // namespace armazem::http
