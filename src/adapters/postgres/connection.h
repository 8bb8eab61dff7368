// One connection to one server, in libpq's pipeline mode: statements are gathered, and `finish` sends all of them with one
// sync, in one round trip.
//
// After a failed statement the server skips the rest of its pipeline. After a lost or timed-out one the connection is of
// no use (`usable`), and the only thing to do is to destroy it.
//
// Thread rule: the loop's own thread; one coroutine at a time.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/pg_result.h"
#include "adapters/postgres/statements.h"
#include "adapters/postgres/target.h"
#include "core/sweeper.h"
#include "net/borrowed_socket.h"

namespace armazem::pg {

struct Failure {
  bool lost = false;  // no answer came, or it was the connection's last: what was sent may have been executed
  bool timed_out = false;  // lost, because we stopped waiting
  std::string sqlstate;  // empty when the server did not say
  std::string message;  // for people; holds no value of a row
  std::size_t at = 0;  // index of the first statement that has no result
};

struct Reply {
  std::vector<PgResult> results;  // of the statements that succeeded, in their order
  std::optional<Failure> failure;
};

class Connection final : private Sweepable {
 public:
  Connection(net::IoLoop& loop, Sweeper& sweeper, const Target& target);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Keywords and values as of libpq; the host must be given by its address. Until `due`.
  Task<Result<void>> connect(const std::vector<std::pair<std::string, std::string>>& parameters, MonotonicTime due);

  // Gather statements. Parameters are binary and need to live during the call only.
  void prepare(const Statement& statement);
  void send_unprepared(const Statement& statement, std::initializer_list<std::string_view> parameters = {});
  void send(const Statement& statement, std::initializer_list<std::string_view> parameters = {});
  // Sends what was gathered and waits for all of it.
  Task<Reply> finish(MonotonicTime due);

  // Until the server says something unasked, or hangs up; or `interrupt`, or `due`.
  Task<void> idle(MonotonicTime due);
  // Ends `idle` or a running `finish`, which then has timed out.
  void interrupt();

  [[nodiscard]] bool usable() const noexcept { return connection_ && !broken_; }
  // No transaction is open, and nothing has come that nobody asked for.
  [[nodiscard]] bool clean() const noexcept;
  [[nodiscard]] bool in_transaction() const noexcept;

 private:
  struct Close {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  };
  enum class Step : std::uint8_t { wait, done, broken };

  void sweep(MonotonicTime now) override;
  Step take_results(Reply& reply);
  void take_error(const PgResult& result, Reply& reply);
  void lose(Reply& reply, bool timed_out);
  [[nodiscard]] std::string driver_message() const;

  net::IoLoop& loop_;
  Sweeper& sweeper_;
  const Target& target_;
  std::unique_ptr<PGconn, Close> connection_;
  std::optional<net::BorrowedSocket> socket_;  // destroyed before libpq may close or change it
  MonotonicTime due_ = MonotonicTime::max();
  bool broken_ = false;
};

}  // namespace armazem::pg
