#include "adapters/postgres/scanner.h"

#include <algorithm>

#include "adapters/postgres/binary.h"
#include "adapters/postgres/row_codec.h"

namespace armazem::pg {
namespace {

// Looked at beyond the entries asked for, so that some deletes do not make a page short.
constexpr std::size_t spare_rows = 100;
constexpr int looked_at_column = 9;
constexpr int live_column = 8;
constexpr int value_bytes_column = 10;

// The least string greater than all that begin with `prefix`; nullopt when there is none.
std::optional<std::string> behind_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

void send_scan(Connection& connection, const ScanRequest& request, std::size_t rows) {
  const KeyRange range = range_of(request);
  connection.send(
      request.keys_only ? sql::scan_keys : sql::scan_rows,
      {range.first, range.end, binary_bigint(as_bigint(rows)), binary_bigint(as_bigint(request.now_ms)),
       binary_bigint(as_bigint(request.limit)), binary_bigint(as_bigint(std::max<std::size_t>(request.bytes_max, 1)))});
}

// Of a live row.
std::size_t value_bytes(const PgResult& rows, int row) { return static_cast<std::size_t>(rows.integer(row, value_bytes_column)); }

Result<ScanPage> read_rows(const PgResult& rows, std::size_t rows_asked) {
  ScanPage page;
  for (int row = 0; row < rows.rows(); ++row) {
    Result<Key> key = Key::parse(std::string(rows.bytes(row, 0)));
    if (!key) return fail(ErrorCode::data_damaged, "stored row: wrong key");
    page.next_after = key->text();
    if (!rows.boolean(row, live_column)) continue;
    Result<Record> record = decode_record(rows, row);
    if (!record) return fail(std::move(record.error()));
    page.entries.push_back({std::move(*key), std::move(*record), value_bytes(rows, row)});
  }
  const std::int64_t looked_at = rows.rows() > 0 ? rows.integer(0, looked_at_column) : 0;
  const bool all_here = looked_at == rows.rows() && looked_at < as_bigint(rows_asked);
  if (all_here) page.next_after.reset();
  return page;
}

}  // namespace

KeyRange range_of(const ScanRequest& request) {
  KeyRange range{request.prefix, behind_prefix(request.prefix).value_or("\xFF")};
  // The least string greater than `after`.
  if (request.after) range.first = std::max(range.first, *request.after + '\0');
  return range;
}

Task<Result<ScanPage>> read_page(LoopPool& pool, Counters& counters, ScanRequest request, Deadline deadline) {
  constexpr int attempts_max = 3;
  const LoopPool::Visit visit(pool);
  const std::size_t rows = request.limit + spare_rows;
  for (int attempts = 1;; ++attempts) {
    const Result<Lease> lease = co_await pool.borrow(deadline);
    if (!lease) co_return fail(lease.error());
    send_scan(lease->connection(), request, rows);
    const Reply reply = co_await lease->connection().finish(pool.latest(deadline));
    if (!reply.failure) {
      count(counters.scans);
      co_return read_rows(reply.results.front(), rows);
    }
    counters.add(*reply.failure);
    const Meaning meaning = meaning_of(*reply.failure);
    if (meaning == Meaning::other_host) lease->avoid_host();
    if (deadline.expired(pool.now())) {
      count(counters.timed_out);
      co_return fail(ErrorCode::deadline_exceeded, "the database did not answer in time");
    }
    const bool again = meaning == Meaning::connection || meaning == Meaning::other_host || meaning == Meaning::conflict;
    if (!again || attempts == attempts_max) co_return fail(to_error(*reply.failure, "reading"));
  }
}

}  // namespace armazem::pg
