#include "adapters/postgres/schema.h"

#include <random>

#include "adapters/changes.h"
#include "adapters/postgres/binary.h"
#include "adapters/postgres/failure.h"

namespace armazem::pg {
namespace {

constexpr int attempts_max = 30;

struct Found {
  std::optional<std::int64_t> version;
  std::optional<Failure> failure;  // other than that there is no table
};

Task<Found> read_version(Connection& connection, MonotonicTime due) {
  connection.send_unprepared(sql::read_schema);
  Reply reply = co_await connection.finish(due);
  Found found;
  if (reply.failure) {
    constexpr std::string_view undefined_table = "42P01";
    if (reply.failure->lost || reply.failure->sqlstate != undefined_table) found.failure = std::move(reply.failure);
  } else if (reply.results.front().rows() == 1) {
    found.version = reply.results.front().integer(0, 0);
  }
  co_return found;
}

// An older one is raised by what creates a new one: every step does nothing where it has been done.
bool may_be_raised(std::int64_t version) noexcept { return version >= 1 && version < schema_version; }

Result<void> check(std::int64_t version) {
  if (version == schema_version) return {};
  const std::string numbers = "the database holds schema " + std::to_string(version) +
                              " of armazem, this program knows " + std::to_string(schema_version);
  if (version > schema_version) return fail(ErrorCode::precondition, numbers + ": run a newer armazem");
  return fail(ErrorCode::precondition, numbers + ": the row 'schema' of armazem_meta is damaged");
}

// The first statement that failed, if one did.
Task<std::optional<Failure>> create_all(Connection& connection, MonotonicTime due) {
  static constexpr std::array steps = {sql::create_meta, sql::create_records, sql::create_purge_index,
                                       sql::create_purge_lease, sql::create_positions, sql::create_changes};
  for (const Statement& step : steps) {
    connection.send_unprepared(step);
    Reply reply = co_await connection.finish(due);
    if (reply.failure) co_return std::move(reply.failure);
  }
  const std::string log_id = make_change_log_id();
  const std::string version = binary_bigint(schema_version);
  connection.send_unprepared(sql::create_change_log, {log_id});
  connection.send_unprepared(sql::create_schema_row, {version});
  connection.send_unprepared(sql::raise_schema_row, {version});
  Reply reply = co_await connection.finish(due);
  co_return std::move(reply.failure);
}

// Somebody else does the same: PostgreSQL's catalogue reports it as one of these even with IF NOT EXISTS.
bool worth_another_try(const Failure& failure) noexcept {
  if (failure.lost) return false;
  const std::string_view state = failure.sqlstate;
  return meaning_of(failure) == Meaning::conflict || state == "42P07" || state == "42710" || state == "42P01" ||
         state == "XX000";
}

}  // namespace

Task<Result<void>> ensure_schema(Connection& connection, MonotonicTime due) {
  std::minstd_rand random(std::random_device{}());
  for (int attempt = 1;; ++attempt) {
    const Found found = co_await read_version(connection, due);
    if (found.failure) co_return fail(to_error(*found.failure, "reading the schema's version"));
    if (found.version && !may_be_raised(*found.version)) co_return check(*found.version);
    const std::optional<Failure> failure = co_await create_all(connection, due);
    if (failure && (attempt >= attempts_max || !worth_another_try(*failure))) {
      co_return fail(to_error(*failure, "creating the tables"));
    }
    if (attempt >= 2 * attempts_max)
      co_return fail(ErrorCode::internal, "the schema's version does not stay in its row");
    if (!failure) continue;
    auto pause = sleep_until(MonotonicClock::now() + std::chrono::milliseconds(1 + random() % 50));
    co_await pause;
  }
}

}  // namespace armazem::pg
