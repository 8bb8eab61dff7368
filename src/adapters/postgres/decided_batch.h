// The middle of a batch's transaction: from the rows that were read to the rows that are to be written. No I/O.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "adapters/postgres/pg_result.h"
#include "core/apply.h"
#include "core/result.h"

namespace armazem::pg {

// Part of a batch: indexes into its mutations, as `batch_order` sorts them.
struct BatchPart {
  std::span<const Mutation> mutations;  // the whole batch
  std::span<const std::uint32_t> order;
};

// The keys of a part, once each, as an array parameter.
[[nodiscard]] std::string keys_parameter(const BatchPart& part);

// The final states of some keys, as the parameters of sql::update_rows and sql::insert_rows.
struct RowParameters {
  std::size_t rows = 0;
  std::string keys, versions, tombstones, forms, content_types, values, expiries, histories, purge_times;
};

// What the change log is told, as the parameters of sql::log_changes.
struct ChangeParameters {
  std::size_t rows = 0;
  std::string keys, versions, removed, forms, content_types, sizes, values, expiries;
};

struct DecidedBatch {
  std::vector<Outcome> outcomes;  // outcomes[i] belongs to order[i]
  RowParameters updates;          // of keys that have a row
  RowParameters inserts;          // of keys that have none
  ChangeParameters changes;
};

// `rows` as sql::lock_rows gives them. The mutations stay whole, because the transaction may have to be made again.
[[nodiscard]] Result<DecidedBatch> decide(const BatchPart& part, const PgResult& rows, ApplyGuard guard);

}  // namespace armazem::pg
