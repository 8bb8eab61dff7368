// Makes a fresh connection ready for work: settings, schema, prepared statements.
#pragma once

#include "adapters/postgres/connection.h"
#include "adapters/postgres/postgres_options.h"

namespace armazem::pg {

struct Session {
  bool serializable =
      false;  // CockroachDB: transactions run SERIALIZABLE; on PostgreSQL, READ COMMITTED with row locks
  std::string server;         // "PostgreSQL 15.4"
};

// Creates the schema when it is not there; safe when many do so at once. precondition: the schema is another version's,
// or rights are missing; the message says what to do. Until `due`.
Task<Result<Session>> start_session(Connection& connection, const PostgresOptions& options, MonotonicTime due);

}  // namespace armazem::pg
