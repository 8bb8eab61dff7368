#include "adapters/postgres/purger.h"

#include <algorithm>

#include "adapters/postgres/binary.h"

namespace armazem::pg {
namespace {

struct Step {
  PurgeReport report;
  std::optional<Failure> failure;
};

std::string keys_of(const PgResult& rows) {
  BinaryArray keys(TypeOid::bytea);
  for (int row = 0; row < rows.rows(); ++row) keys.add(rows.bytes(row, 0));
  return std::move(keys).take();
}

// What is to be dropped of the change log in one step.
struct OldChanges {
  std::int64_t behind = 0;
  std::int64_t up_to = 0;
  bool more = false;
};

OldChanges old_changes(const PgResult& ends, std::size_t kept) {
  constexpr std::int64_t step = 10'000;
  if (ends.rows() == 0) return {};
  const std::int64_t begin = ends.integer(0, 0);
  const std::int64_t wanted = ends.integer(0, 1) - as_bigint(kept);
  const std::int64_t up_to = std::min(wanted, begin + step);
  return {begin, up_to, up_to > begin && up_to < wanted};
}

void send_search(const Lease& lease, const std::string& holder, const PurgeRequest& request) {
  Connection& connection = lease.connection();
  connection.send(lease.session().serializable ? sql::begin_serializable : sql::begin_read_committed);
  connection.send(sql::take_purge_lease, {holder});
  connection.send(sql::find_old_rows,
                  {binary_bigint(as_bigint(request.before_ms)), binary_bigint(as_bigint(request.limit))});
  connection.send(sql::find_change_log_end);
}

// A transaction that is not ended here is rolled back with its connection.
Task<Step> make_step(const Lease& lease, const std::string& holder, std::size_t changes_kept, PurgeRequest request,
                     MonotonicTime due) {
  Connection& connection = lease.connection();
  send_search(lease, holder, request);
  Step step;
  const Reply found = co_await connection.finish(due);
  if (found.failure) {
    step.failure = found.failure;
    if (!connection.usable()) co_return step;
    connection.send(sql::rollback);
    (void)co_await connection.finish(due);
    co_return step;
  }
  const bool mine = found.results[1].changed() == 1;
  const PgResult& old = found.results[2];
  step.report.more = mine && request.limit > 0 && static_cast<std::size_t>(old.rows()) == request.limit;
  const bool removes = mine && old.rows() > 0;
  if (removes) connection.send(sql::delete_old_rows, {keys_of(old), binary_bigint(as_bigint(request.before_ms))});
  const OldChanges changes = mine ? old_changes(found.results[3], changes_kept) : OldChanges{};
  if (changes.up_to > changes.behind) {
    connection.send(sql::drop_changes, {binary_bigint(changes.behind), binary_bigint(changes.up_to)});
    connection.send(sql::move_change_log_begin, {binary_bigint(changes.up_to)});
  }
  step.report.more = step.report.more || changes.more;
  if (mine && !step.report.more) connection.send(sql::free_purge_lease, {holder});
  connection.send(mine ? sql::commit : sql::rollback);
  const Reply ended = co_await connection.finish(due);
  if (ended.failure) {
    step.failure = ended.failure;
    if (connection.usable()) {
      connection.send(sql::rollback);
      (void)co_await connection.finish(due);
    }
  } else if (removes) {
    step.report.removed = ended.results.front().changed();
  }
  co_return step;
}

}  // namespace

Task<Result<PurgeReport>> purge_step(LoopPool& pool, Counters& counters, const std::string& holder,
                                     std::size_t changes_kept, PurgeRequest request, Deadline deadline) {
  const LoopPool::Visit visit(pool);
  const Result<Lease> lease = co_await pool.borrow(deadline);
  if (!lease) co_return fail(lease.error());
  const Step step = co_await make_step(*lease, holder, changes_kept, request, pool.latest(deadline));
  if (!step.failure) {
    count(counters.purged, step.report.removed);
    co_return step.report;
  }
  counters.add(*step.failure);
  const Meaning meaning = meaning_of(*step.failure);
  if (meaning == Meaning::other_host) lease->avoid_host();
  // In somebody's way: nothing was removed, and the next step is as good as this one.
  if (meaning == Meaning::conflict) co_return PurgeReport{0, true};
  if (deadline.expired(pool.now())) co_return fail(ErrorCode::outcome_unknown, "the database did not answer in time");
  co_return fail(to_error(*step.failure, "purging"));
}

}  // namespace armazem::pg
