// A batch, until it is decided or its deadline has passed: retries, and finds the mutation that the database refuses.
//
// What may be repeated: a transaction that was rolled back, always; one whose COMMIT was not answered, because `apply`
// knows a mutation that it has applied by its op id. From then on every failure of the call is outcome_unknown, and so is
// the verdict `indeterminate`: it could be our own lost attempt that has left the history.
#pragma once

#include "adapters/postgres/batch_attempt.h"

namespace armazem::pg {

Task<Result<std::vector<Outcome>>> write_batch(LoopPool& pool, Counters& counters, std::vector<Mutation> mutations,
                                               ApplyGuard guard, Deadline deadline);

}  // namespace armazem::pg
