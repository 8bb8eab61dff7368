// Small steps that remove old tombstones and expired records.
//
// One purger at a time in the whole cluster: a row of armazem_meta is leased, by the database's clock, in the same
// transaction that removes. Whoever does not get it has nothing to do. The guard is repeated in the DELETE, so that a row
// that was written again stays whatever happens.
#pragma once

#include "adapters/postgres/loop_pool.h"
#include "ports/store.h"

namespace armazem::pg {

// `holder` names this process. A step that fails is simply made again later; one may have removed something and failed.
Task<Result<PurgeReport>> purge_step(LoopPool& pool, Counters& counters, const std::string& holder, std::size_t changes_kept,
                                     PurgeRequest request, Deadline deadline);

}  // namespace armazem::pg
