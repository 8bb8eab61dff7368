#include "adapters/redis/link.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "adapters/redis/tls_stream.h"

namespace armazem::redis {
namespace {

constexpr std::size_t read_bytes = std::size_t{64} << 10;
constexpr std::chrono::milliseconds pause_min{5};
constexpr std::chrono::milliseconds pause_max{1'000};
constexpr std::chrono::milliseconds ping_after{1'000};  // without a reply

std::string reason(int error) {
  return error == net::end_of_stream ? "the node closed the connection" : std::string(std::strerror(error));
}

// co_await Park{place}: suspends until whoever knows the place resumes what stands there.
struct Park {
  std::coroutine_handle<>& place;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) const noexcept { place = self; }
  void await_resume() const noexcept {}
};

}  // namespace

Exchange::Exchange(Link& link, std::span<const std::string_view> arguments, Deadline deadline, How how)
    : deadline_(deadline), how_(how) {
  if (auto refused = link.refusal(*this)) {
    result_.emplace(fail(std::move(*refused)));
  } else {
    link.enqueue(*this, arguments, how.asking);
  }
}

Link::Link(LinkEnvironment environment, net::HostPort node)
    : env_(environment),
      node_(std::move(node)),
      breaker_(environment.options.breaker_failures, environment.options.breaker_open),
      last_used_(MonotonicClock::now()),
      last_reply_(last_used_) {
  env_.scope.spawn(run());
}

Link::~Link() { ARMAZEM_ASSERT(ended() && waiting_.empty()); }

std::optional<Error> Link::refusal(const Exchange& exchange) {
  const auto unavailable = [&](std::string why) {
    env_.counters.failed_at_once.add();
    return Error{ErrorCode::unavailable, "redis " + node_.text() + ": " + std::move(why)};
  };
  if (retired_) return unavailable("no longer used");
  if (!breaker_.allows() && !exchange.how_.probing) return unavailable("left alone for a moment: " + problem_);
  // The very first attempt to connect is waited for, no other.
  const bool may_wait = state_ == State::connecting && first_attempt_;
  if (broken_ || (state_ != State::up && !may_wait)) return unavailable(problem_);
  if (waiting_.size() >= env_.options.waiting_max || out_.size() >= env_.options.waiting_bytes_max) {
    env_.counters.overloaded.add();
    return Error{ErrorCode::overloaded, "redis " + node_.text() + ": too many requests wait"};
  }
  return std::nullopt;
}

void Link::enqueue(Exchange& exchange, std::span<const std::string_view> arguments, bool asking) {
  if (asking) out_.append("*1\r\n$6\r\nASKING\r\n");
  append_command(out_, arguments);
  last_used_ = MonotonicClock::now();
  waiting_.push_back({&exchange, last_used_ + env_.options.command_timeout, static_cast<std::uint8_t>(asking)});
  if (sender_) env_.loop.post(std::exchange(sender_, {}));
}

// ---- the life of the link

Task<void> Link::run() {
  while (!retired_) {
    state_ = State::connecting;
    broken_ = false;
    ++attempts_;
    const Result<void> connected = co_await connect();
    if (connected && !broken_) {
      co_await serve();
    } else {
      env_.counters.connects_failed.add();
      break_off(connected ? problem_ : connected.error().message);
    }
    first_attempt_ = false;
    stream_.reset();
    handle_.reset();
    out_.clear();
    if (retired_) break;
    // An established connection that broke is tried again soon, the others ever later.
    const int doublings = std::min(attempts_, 8);
    const auto longest = std::min(pause_min * (1 << doublings), pause_max);
    const auto half = static_cast<std::uint64_t>(longest.count() / 2);
    pause_until_ = MonotonicClock::now() + std::chrono::milliseconds(half + env_.random() % (half + 1));
    state_ = State::pausing;
    Park pause{pausing_};
    co_await pause;
  }
  state_ = State::ended;
}

Task<Result<void>> Link::connect() {
  parser_ = std::make_unique<ReplyParser>();
  connect_by_ = MonotonicClock::now() + env_.options.connect_timeout;
  Result<void> opened = co_await open_socket();
  if (!opened) co_return opened;
  co_return co_await log_in();
}

Task<Result<void>> Link::open_socket() {
  const auto addresses = co_await env_.resolver.resolve(node_);
  if (!addresses) co_return fail(addresses.error());
  if (broken_) co_return fail(ErrorCode::unavailable, problem_);
  const std::size_t which = static_cast<std::size_t>(attempts_ - 1) % addresses->size();
  auto socket = net::begin_connect((*addresses)[which]);
  if (!socket) co_return fail(std::move(socket.error()));
  handle_ = std::make_unique<net::IoHandle>(std::move(*socket), env_.loop);
  net::Connected connected(*handle_);
  if (const int error = co_await connected; error != 0) co_return fail(ErrorCode::unavailable, reason(error));
  if (env_.tls == nullptr) {
    stream_ = std::make_unique<PlainStream>(*handle_);
    co_return Result<void>();
  }
  auto secured = co_await TlsStream::connect(*env_.tls, *handle_, node_.host);
  if (!secured) co_return fail(std::move(secured.error()));
  stream_ = std::move(*secured);
  co_return Result<void>();
}

// AUTH, and a PING in any case: a process that is stopped still gets its connections accepted by the kernel.
Task<Result<void>> Link::log_in() {
  if (!env_.options.password.empty()) {
    std::vector<std::string_view> command = {"AUTH", env_.options.password};
    if (!env_.options.user.empty()) command.insert(command.begin() + 1, env_.options.user);
    const Result<Reply> reply = co_await ask_directly(command);
    if (!reply) co_return fail(reply.error());
    if (reply->kind == Reply::Kind::error) co_return fail(ErrorCode::unavailable, "log-in refused: " + reply->text);
  }
  constexpr std::string_view command[] = {"PING"};
  const Result<Reply> reply = co_await ask_directly(command);
  if (!reply) co_return fail(reply.error());
  if (reply->kind == Reply::Kind::error) co_return fail(ErrorCode::unavailable, reply->text);
  co_return Result<void>();
}

Task<Result<Reply>> Link::ask_directly(std::span<const std::string_view> arguments) {
  std::string bytes;
  append_command(bytes, arguments);
  const net::IoResult sent = co_await stream_->write_all(bytes);
  if (sent.error != 0) co_return fail(ErrorCode::unavailable, reason(sent.error));
  Reply reply;
  buffer_.resize(read_bytes);
  while (true) {
    const ReplyParser::Step step = parser_->next(reply);
    if (step == ReplyParser::Step::reply) co_return reply;
    if (step == ReplyParser::Step::broken) co_return fail(ErrorCode::unavailable, parser_->error());
    const net::IoResult got = co_await stream_->read_some(buffer_);
    if (got.error != 0) co_return fail(ErrorCode::unavailable, reason(got.error));
    parser_->feed({buffer_.data(), got.bytes});
  }
}

Task<void> Link::serve() {
  state_ = State::up;
  attempts_ = 0;
  last_reply_ = MonotonicClock::now();
  for (Waiting& waiting : waiting_) waiting.give_up = last_reply_ + env_.options.command_timeout;
  env_.counters.connects.add();
  env_.counters.connections.add();
  if (breaker_.allows()) problem_.clear();
  TaskScope scope(env_.loop);
  scope.spawn(receive());
  scope.spawn(send());
  co_await scope.join();
  env_.counters.connections.add(static_cast<std::uint64_t>(-1));
}

Task<void> Link::send() {
  while (!broken_) {
    if (out_.empty()) {
      Park wait{sender_};
      co_await wait;
      continue;
    }
    sending_.clear();
    sending_.swap(out_);
    const net::IoResult sent = co_await stream_->write_all(sending_);
    if (sent.error != 0) break_off(reason(sent.error));
  }
}

Task<void> Link::receive() {
  while (!broken_) {
    const net::IoResult got = co_await stream_->read_some(buffer_);
    if (got.error != 0) {
      break_off(reason(got.error));
      break;
    }
    last_reply_ = MonotonicClock::now();
    parser_->feed({buffer_.data(), got.bytes});
    if (!deliver_replies()) {
      env_.counters.protocol_errors.add();
      break_off(parser_->error().empty() ? "protocol error: a reply that nobody asked for" : parser_->error());
    }
  }
}

// ---- replies

bool Link::deliver_replies() {
  Reply reply;
  while (true) {
    const ReplyParser::Step step = parser_->next(reply);
    if (step != ReplyParser::Step::reply || waiting_.empty()) {
      resume_finished();
      return step == ReplyParser::Step::more;
    }
    deliver(std::move(reply));
  }
}

void Link::deliver(Reply reply) {
  Waiting& first = waiting_.front();
  if (first.to_skip > 0) {
    --first.to_skip;
    return;
  }
  if (first.exchange != nullptr) finish(*first.exchange, std::move(reply));
  waiting_.pop_front();
}

void Link::finish(Exchange& exchange, Result<Reply> result) {
  exchange.result_.emplace(std::move(result));
  if (exchange.self_) finished_.push_back(exchange.self_);
}

// Posted, never resumed from here: a caller may end with the connection of a client whose events are still to come in
// this turn of the loop.
void Link::resume_finished() {
  if (finished_.empty()) return;
  env_.loop.post_all(finished_);
  finished_.clear();
}

// ---- what goes wrong

void Link::break_off(std::string why) {
  if (broken_) return;
  broken_ = true;
  problem_ = std::move(why);
  if (!retired_) note_failure(MonotonicClock::now());
  fail_waiting(problem_);
  if (handle_) handle_->cancel();
  if (sender_) env_.loop.post(std::exchange(sender_, {}));
}

void Link::fail_waiting(const std::string& why) {
  for (const Waiting& waiting : waiting_) {
    if (waiting.exchange == nullptr) continue;
    finish(*waiting.exchange, fail(ErrorCode::unavailable, "redis " + node_.text() + ": " + why));
  }
  waiting_.clear();
  resume_finished();
}

void Link::note_failure(MonotonicTime now) {
  if (breaker_.failed(now, env_.random)) env_.counters.breaker_openings.add();
}

void Link::refused(const std::string& why) {
  const MonotonicTime now = MonotonicClock::now();
  env_.counters.refused_by_node.add();
  problem_ = why;
  note_failure(now);
}

void Link::sweep(MonotonicTime now) {
  if (waiting_.empty()) return;
  if (state_ == State::up && waiting_.front().give_up <= now) {
    env_.counters.timeouts.add();
    break_off("no answer within " + std::to_string(env_.options.command_timeout.count()) + " ms");
    return;
  }
  for (Waiting& waiting : waiting_) {
    if (waiting.exchange == nullptr) continue;
    // Still connecting: who waits too long is told, the attempt goes on.
    const bool too_long = waiting.give_up <= now;
    if (!too_long && !waiting.exchange->deadline_.expired(now)) continue;
    finish(*std::exchange(waiting.exchange, nullptr),
           fail(too_long ? ErrorCode::unavailable : ErrorCode::deadline_exceeded,
                "redis " + node_.text() + (too_long ? ": still connecting" : ": no answer before the deadline")));
  }
  resume_finished();
}

void Link::tick(MonotonicTime now) {
  sweep(now);
  if (state_ == State::connecting && !broken_ && now >= connect_by_) {
    break_off("not connected within " + std::to_string(env_.options.connect_timeout.count()) + " ms");
  }
  if (pausing_ && (retired_ || now >= pause_until_)) env_.loop.post(std::exchange(pausing_, {}));
  if (state_ != State::up || pinging_ || retired_) return;
  if (breaker_.take_probe(now) || (breaker_.allows() && waiting_.empty() && now - last_reply_ >= ping_after)) {
    pinging_ = true;
    env_.scope.spawn(ping());
  }
}

Task<void> Link::ping() {
  constexpr std::string_view command[] = {"PING"};
  Exchange exchange(*this, command, Deadline::none(), {.asking = false, .probing = true});
  const Result<Reply> reply = co_await exchange;
  pinging_ = false;
  if (reply && reply->kind == Reply::Kind::status) {
    breaker_.succeeded();
    problem_.clear();
    co_return;
  }
  // A connection that broke off has been counted there.
  if (reply) problem_ = reply->text;
  if (reply || breaker_.state() == Breaker::State::half_open) note_failure(MonotonicClock::now());
}

void Link::retire() {
  if (retired_) return;
  retired_ = true;
  break_off("no longer used");
  if (pausing_) env_.loop.post(std::exchange(pausing_, {}));
}

}  // namespace armazem::redis
