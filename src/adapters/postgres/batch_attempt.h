// One transaction for one part of a batch, in two round trips:
//
//   BEGIN; lock and read the rows    -> decide ->    write what changed, and to the change log; COMMIT
//
// PostgreSQL, READ COMMITTED: rows that exist are locked from the read to the commit, so nothing can change between
// deciding and writing. A row that does not exist cannot be locked: should it come in meanwhile, the plain INSERT hits the
// primary key, and everything is rolled back. CockroachDB, SERIALIZABLE: the same holds without the locks.
#pragma once

#include "adapters/postgres/decided_batch.h"
#include "adapters/postgres/loop_pool.h"

namespace armazem::pg {

struct Attempt {
  std::vector<Outcome> outcomes;  // without a failure
  std::optional<Error> error;  // beside the database: stored bytes are damaged, no connection; nothing was written
  std::optional<Failure> failure;  // of the database
  bool maybe_committed = false;  // there is a failure, and the COMMIT may have been executed all the same
};

// Uses the connection until `due` and leaves it clean, or of no use.
Task<Attempt> attempt_batch(const Lease& lease, BatchPart part, ApplyGuard guard, MonotonicTime due,
                            Counters& counters);

}  // namespace armazem::pg
