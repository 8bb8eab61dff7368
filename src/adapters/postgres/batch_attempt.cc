#include "adapters/postgres/batch_attempt.h"

namespace armazem::pg {
namespace {

void send_rows(Connection& connection, const Statement& statement, const RowParameters& rows) {
  connection.send(statement, {rows.keys, rows.versions, rows.tombstones, rows.forms, rows.content_types, rows.values,
                              rows.expiries, rows.histories, rows.purge_times});
}

void send_changes(Connection& connection, const ChangeParameters& rows) {
  connection.send(sql::log_changes, {rows.keys, rows.versions, rows.removed, rows.forms, rows.content_types, rows.sizes,
                                     rows.values, rows.expiries});
}

// Whatever this fails with, the connection is then not clean and will be closed, which rolls back too.
Task<void> roll_back(Connection& connection, MonotonicTime due) {
  if (!connection.usable()) co_return;
  connection.send(sql::rollback);
  (void)co_await connection.finish(due);
}

// The statement that changed rows did so to all that it was given; and a transaction that had failed answers COMMIT by
// rolling back.
std::optional<Failure> check_written(const Reply& reply, const DecidedBatch& batch) {
  std::size_t at = 0;
  Failure wrong;
  if (batch.updates.rows > 0 && reply.results[at++].changed() != batch.updates.rows) {
    wrong.message = "fewer rows were updated than had been locked";
    return wrong;
  }
  if (batch.inserts.rows > 0 && reply.results[at++].changed() != batch.inserts.rows) {
    wrong.message = "fewer rows were inserted than were sent";
    return wrong;
  }
  if (batch.changes.rows > 0 && reply.results[at++].changed() != batch.changes.rows) {
    wrong.message = "fewer changes were logged than were sent";
    return wrong;
  }
  if (reply.results[at].command() != "COMMIT") {
    wrong.sqlstate = "40000";
    wrong.message = "the transaction was rolled back";
    return wrong;
  }
  return std::nullopt;
}

// Of a pipeline whose last statement is the COMMIT. A statement that fails before it makes the server skip it.
bool may_be_committed(const Failure& failure, std::size_t commit_at) noexcept {
  if (failure.lost) return true;
  return failure.at >= commit_at && meaning_of(failure) != Meaning::conflict;
}

Task<Attempt> write_and_commit(Connection& connection, DecidedBatch& batch, MonotonicTime due, Counters& counters) {
  std::size_t commit_at = 0;
  if (batch.updates.rows > 0) {
    send_rows(connection, sql::update_rows, batch.updates);
    ++commit_at;
  }
  if (batch.inserts.rows > 0) {
    send_rows(connection, sql::insert_rows, batch.inserts);
    ++commit_at;
  }
  if (batch.changes.rows > 0) {
    send_changes(connection, batch.changes);
    ++commit_at;
  }
  connection.send(sql::commit);
  const Reply reply = co_await connection.finish(due);
  Attempt attempt;
  if (reply.failure) {
    attempt.failure = reply.failure;
    attempt.maybe_committed = may_be_committed(*reply.failure, commit_at);
    if (!attempt.maybe_committed) co_await roll_back(connection, due);
    co_return attempt;
  }
  attempt.failure = check_written(reply, batch);
  attempt.maybe_committed = attempt.failure && attempt.failure->sqlstate.empty();
  if (!attempt.failure) {
    attempt.outcomes = std::move(batch.outcomes);
    count(counters.transactions);
    count(counters.rows_updated, batch.updates.rows);
    count(counters.rows_inserted, batch.inserts.rows);
  }
  co_return attempt;
}

}  // namespace

Task<Attempt> attempt_batch(const Lease& lease, BatchPart part, ApplyGuard guard, MonotonicTime due,
                            Counters& counters) {
  Connection& connection = lease.connection();
  {
    const std::string keys = keys_parameter(part);
    connection.send(lease.session().serializable ? sql::begin_serializable : sql::begin_read_committed);
    connection.send(sql::lock_rows, {keys});
  }
  Attempt attempt;
  const Reply read = co_await connection.finish(due);
  if (read.failure) {
    attempt.failure = read.failure;
    co_await roll_back(connection, due);
    co_return attempt;
  }
  Result<DecidedBatch> decided = decide(part, read.results[1], guard);
  if (decided && decided->updates.rows + decided->inserts.rows > 0) {
    co_return co_await write_and_commit(connection, *decided, due, counters);
  }
  co_await roll_back(connection, due);
  if (decided) {
    attempt.outcomes = std::move(decided->outcomes);
    count(counters.transactions_unchanged);
  } else {
    attempt.error = std::move(decided.error());
  }
  co_return attempt;
}

}  // namespace armazem::pg
