#include "adapters/postgres/connection.h"

#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace armazem::pg {
namespace {

constexpr std::size_t parameters_max = 9;
constexpr int binary = 1;

// Parameters in the shape that libpq takes.
struct Arguments {
  explicit Arguments(std::initializer_list<std::string_view> parameters) noexcept
      : count(static_cast<int>(parameters.size())) {
    ARMAZEM_ASSERT(parameters.size() <= parameters_max);
    std::size_t i = 0;
    for (const std::string_view one : parameters) {
      values[i] = one.data();
      lengths[i] = static_cast<int>(one.size());
      formats[i++] = binary;
    }
  }
  const int count;
  std::array<const char*, parameters_max> values{};
  std::array<int, parameters_max> lengths{};
  std::array<int, parameters_max> formats{};
};

// Libpq's messages have several lines and end with one.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at)) text.replace(at, 1, "; ");
  std::erase(text, '\t');
  return text;
}

// libpq takes at most the room in its buffer out of a TLS record and leaves the rest in OpenSSL, where no socket event
// will ever tell of it. PostgreSQL's own records fit; those of servers written in Go do not.
bool receive(PGconn* connection) {
  auto* const tls = static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
  do {
    if (PQconsumeInput(connection) != 1) return false;
  } while (tls != nullptr && SSL_pending(tls) > 0);
  return true;
}

void ignore_notice(void*, const PGresult*) {}

}  // namespace

Connection::Connection(net::IoLoop& loop, Sweeper& sweeper, const Target& target)
    : loop_(loop), sweeper_(sweeper), target_(target) {
  sweeper_.add(*this);
}

Connection::~Connection() {
  socket_.reset();
  sweeper_.remove(*this);
}

Task<Result<void>> Connection::connect(const std::vector<std::pair<std::string, std::string>>& parameters,
                                       MonotonicTime due) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection_) co_return fail(ErrorCode::unavailable, "no memory for a connection");
  PQsetNoticeReceiver(connection_.get(), &ignore_notice, nullptr);

  PostgresPollingStatusType step =
      PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (step == PGRES_POLLING_READING || step == PGRES_POLLING_WRITING) {
    socket_.emplace(PQsocket(connection_.get()), loop_);
    due_ = due;
    auto wait = step == PGRES_POLLING_READING ? socket_->readable() : socket_->writable();
    const bool ready = co_await wait;
    socket_.reset();
    if (!ready) co_return fail(ErrorCode::unavailable, "no answer in time");
    step = PQconnectPoll(connection_.get());
  }
  if (step != PGRES_POLLING_OK) co_return fail(ErrorCode::unavailable, driver_message());
  if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) {
    co_return fail(ErrorCode::unavailable, driver_message());
  }
  socket_.emplace(PQsocket(connection_.get()), loop_);
  co_return Result<void>();
}

void Connection::prepare(const Statement& statement) {
  if (PQsendPrepare(connection_.get(), statement.name, statement.text, 0, nullptr) != 1) broken_ = true;
}

void Connection::send_unprepared(const Statement& statement, std::initializer_list<std::string_view> parameters) {
  const Arguments a(parameters);
  if (PQsendQueryParams(connection_.get(), statement.text, a.count, nullptr, a.values.data(), a.lengths.data(),
                        a.formats.data(), binary) != 1) {
    broken_ = true;
  }
}

void Connection::send(const Statement& statement, std::initializer_list<std::string_view> parameters) {
  const Arguments a(parameters);
  if (PQsendQueryPrepared(connection_.get(), statement.name, a.count, a.values.data(), a.lengths.data(),
                          a.formats.data(), binary) != 1) {
    broken_ = true;
  }
}

Task<Reply> Connection::finish(MonotonicTime due) {
  Reply reply;
  if (broken_ || PQpipelineSync(connection_.get()) != 1) {
    lose(reply, false);
    co_return reply;
  }
  while (true) {
    const int unsent = PQflush(connection_.get());
    const Step step = unsent < 0 ? Step::broken : take_results(reply);
    if (step == Step::done) co_return reply;
    if (step == Step::broken) break;
    due_ = due;
    // While there is something to send, also receive: the server may not take more before we do.
    auto wait = unsent > 0 ? socket_->readable_or_writable() : socket_->readable();
    const bool ready = co_await wait;
    due_ = MonotonicTime::max();
    if (!ready) {
      lose(reply, true);
      co_return reply;
    }
    if (!receive(connection_.get())) {
      take_results(reply);  // the server may have said why before it went away
      break;
    }
  }
  lose(reply, false);
  co_return reply;
}

Connection::Step Connection::take_results(Reply& reply) {
  int nothing_in_a_row = 0;
  while (PQisBusy(connection_.get()) == 0) {
    PgResult result(PQgetResult(connection_.get()));
    if (!result) {
      // The end of one statement's results. More than that means that libpq and we disagree on what is on its way.
      if (++nothing_in_a_row > 2) return Step::broken;
      continue;
    }
    nothing_in_a_row = 0;
    switch (result.status()) {
      case PGRES_PIPELINE_SYNC: return Step::done;
      case PGRES_PIPELINE_ABORTED: break;
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK: reply.results.push_back(std::move(result)); break;
      default: take_error(result, reply);
    }
    if (broken_ || PQstatus(connection_.get()) == CONNECTION_BAD) return Step::broken;
  }
  return Step::wait;
}

void Connection::take_error(const PgResult& result, Reply& reply) {
  if (reply.failure) return;
  Failure& failure = reply.failure.emplace();
  failure.at = reply.results.size();
  failure.sqlstate = result.diagnosis(PG_DIAG_SQLSTATE);
  // The primary message of these classes names the rule that was broken; details, which hold values, are left out.
  failure.message = target_.without_secrets(std::string(result.diagnosis(PG_DIAG_MESSAGE_PRIMARY)));
  const std::string_view severity = result.diagnosis(PG_DIAG_SEVERITY_NONLOCALIZED);
  // An error without a SQLSTATE is libpq's own: it cannot follow the server any more, and what came of the statement is
  // not known.
  if (severity == "FATAL" || severity == "PANIC" || failure.sqlstate.empty()) broken_ = true;
}

void Connection::lose(Reply& reply, bool timed_out) {
  broken_ = true;
  if (!reply.failure) {
    reply.failure.emplace();
    reply.failure->at = reply.results.size();
  }
  reply.failure->lost = true;
  reply.failure->timed_out = timed_out;
  if (timed_out) reply.failure->message = "no answer in time";
  if (reply.failure->message.empty()) reply.failure->message = driver_message();
}

Task<void> Connection::idle(MonotonicTime due) {
  due_ = due;
  auto wait = socket_->readable();
  co_await wait;
}

void Connection::interrupt() {
  if (socket_) socket_->cancel();
}

void Connection::sweep(MonotonicTime now) {
  if (now >= std::min(due_, sweeper_.latest())) interrupt();
}

bool Connection::in_transaction() const noexcept { return PQtransactionStatus(connection_.get()) != PQTRANS_IDLE; }

bool Connection::clean() const noexcept {
  if (!usable() || in_transaction()) return false;
  pollfd one{PQsocket(connection_.get()), POLLIN, 0};
  return ::poll(&one, 1, 0) == 0;
}

std::string Connection::driver_message() const {
  std::string text = one_line(PQerrorMessage(connection_.get()));
  return text.empty() ? "the connection broke" : target_.without_secrets(std::move(text));
}

}  // namespace armazem::pg
