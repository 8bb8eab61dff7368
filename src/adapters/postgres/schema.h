// The tables, and who may create them.
//
// Every step is a statement of its own that does nothing where it has been done, because CockroachDB wants schema changes
// outside of larger transactions and has no advisory locks. Where two that run at once get into each other's way, one is
// told so, and tries again. The row 'schema' in armazem_meta comes last: whoever finds it finds everything.
#pragma once

#include "adapters/postgres/connection.h"

namespace armazem::pg {

inline constexpr std::int64_t schema_version = 2;  // 1: without the change log; raised where it is found

// precondition: another version's schema, or no right to create one.
Task<Result<void>> ensure_schema(Connection& connection, MonotonicTime due);

}  // namespace armazem::pg
