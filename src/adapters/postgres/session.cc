#include "adapters/postgres/session.h"

#include "adapters/postgres/failure.h"
#include "adapters/postgres/schema.h"

namespace armazem::pg {

Task<Result<Session>> start_session(Connection& connection, const PostgresOptions& options, MonotonicTime due) {
  Session session;
  {
    const std::string timeout_ms = std::to_string(options.statement_timeout.count());
    connection.send_unprepared(sql::start_session, {timeout_ms});
    const Reply reply = co_await connection.finish(due);
    if (reply.failure) co_return fail(to_error(*reply.failure, "starting a session"));
    const std::string_view version = reply.results.front().bytes(0, 2);
    session.serializable = version.starts_with("CockroachDB");
    session.server = version.substr(0, std::min(version.find('('), version.find(" on ")));
    while (session.server.ends_with(' ')) session.server.pop_back();
  }
  if (!session.serializable) {
    connection.send_unprepared(sql::tune_postgresql);
    const Reply reply = co_await connection.finish(due);
    if (reply.failure) co_return fail(to_error(*reply.failure, "starting a session"));
  }
  const Result<void> ready = co_await ensure_schema(connection, due);
  if (!ready) co_return fail(ready.error());
  for (const Statement& statement : sql::prepared) connection.prepare(statement);
  for (const Statement& statement : session.serializable ? sql::prepared_by_time : sql::prepared_postgresql) {
    connection.prepare(statement);
  }
  const Reply reply = co_await connection.finish(due);
  if (reply.failure) co_return fail(to_error(*reply.failure, "preparing statements"));
  co_return session;
}

}  // namespace armazem::pg
