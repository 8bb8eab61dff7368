#include "adapters/postgres/change_reader.h"

#include "adapters/postgres/binary.h"

namespace armazem::pg {
namespace {

// Columns of sql::read_changes.
enum Column : int { position, key, version, removed, form, content_type, size, value, expires_at_ms, dropped, taken, oldest_under_way };

constexpr std::chrono::milliseconds settle_interval{5};

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_damaged, "stored change: " + std::string(what));
}

Result<Change> decode_change(const PgResult& rows, int row) {
  Result<Key> name = Key::parse(std::string(rows.bytes(row, Column::key)));
  if (!name) return damaged("wrong key");
  const auto stamp = Version::from_bytes(rows.bytes(row, Column::version));
  if (!stamp) return damaged("wrong version");
  Change change{static_cast<std::uint64_t>(rows.integer(row, Column::position)), std::move(*name), *stamp, std::nullopt};
  if (rows.boolean(row, Column::removed)) return change;
  const std::int64_t shape = rows.integer(row, Column::form);
  const std::int64_t bytes = rows.integer(row, Column::size);
  if (shape < 0 || shape > static_cast<std::int64_t>(ValueForm::json) || bytes < 0) return damaged("wrong form or size");
  ChangedValue& changed = change.value.emplace();
  changed.form = static_cast<ValueForm>(shape);
  changed.size = static_cast<std::size_t>(bytes);
  changed.content_type = rows.bytes(row, Column::content_type);
  if (!rows.is_null(row, Column::value)) changed.bytes = std::string(rows.bytes(row, Column::value));
  if (!rows.is_null(row, Column::expires_at_ms)) {
    changed.expires_at_ms = static_cast<std::uint64_t>(rows.integer(row, Column::expires_at_ms));
  }
  return change;
}

// `missed`: a position that was missing and that nobody had missed before.
Result<ChangePage> read_rows(const PgResult& rows, const ChangesRequest& request, Gaps& gaps, MonotonicTime now,
                             std::optional<std::uint64_t>& missed) {
  if (rows.rows() == 0) return fail(ErrorCode::data_damaged, "the row 'changes' of armazem_meta is missing");
  ChangePage page;
  page.next = request.after;
  const auto gone = static_cast<std::uint64_t>(rows.integer(0, Column::dropped));
  const auto given = static_cast<std::uint64_t>(rows.integer(0, Column::taken));
  if (request.after < gone || request.after > std::max(given, gone)) {
    page.lost = true;
    page.next = gone;
    return page;
  }
  const std::int64_t oldest = rows.integer(0, Column::oldest_under_way);
  std::size_t bytes = 0;
  for (int row = 0; row < rows.rows() && !rows.is_null(row, Column::position) && bytes < request.bytes_max; ++row) {
    const auto at = static_cast<std::uint64_t>(rows.integer(row, Column::position));
    if (at > page.next + 1) {
      const Gaps::State gap = gaps.look_up(page.next + 1, oldest, now);
      if (gap == Gaps::State::unknown) missed = page.next + 1;
      if (gap != Gaps::State::settled) break;
    }
    Result<Change> change = decode_change(rows, row);
    if (!change) return fail(std::move(change.error()));
    page.next = at;
    bytes += change->size_bytes();
    page.changes.push_back(std::move(*change));
  }
  return page;
}

struct Answer {
  std::optional<Reply> reply;  // without a failure
  std::optional<Error> error;
};

// One statement that only reads, again when its connection failed. `pick` gives the dialect's own.
Task<Answer> ask(LoopPool& pool, Counters& counters, const Statement& on_postgresql, const Statement& by_time,
                 std::vector<std::string> parameters, Deadline deadline) {
  constexpr int attempts_max = 3;
  Answer answer;
  for (int attempts = 1;; ++attempts) {
    const Result<Lease> lease = co_await pool.borrow(deadline);
    if (!lease) {
      answer.error = lease.error();
      co_return answer;
    }
    const Statement& statement = lease->session().serializable ? by_time : on_postgresql;
    if (parameters.empty()) {
      lease->connection().send(statement);
    } else {
      lease->connection().send(statement, {parameters[0], parameters[1]});
    }
    Reply reply = co_await lease->connection().finish(pool.latest(deadline));
    if (!reply.failure) {
      answer.reply = std::move(reply);
      co_return answer;
    }
    counters.add(*reply.failure);
    const Meaning meaning = meaning_of(*reply.failure);
    if (meaning == Meaning::other_host) lease->avoid_host();
    const bool again = meaning == Meaning::connection || meaning == Meaning::other_host || meaning == Meaning::conflict;
    if (!again || attempts == attempts_max || deadline.expired(pool.now())) {
      answer.error = to_error(*reply.failure, "reading the change log");
      co_return answer;
    }
  }
}

Task<Result<std::int64_t>> take_number(LoopPool& pool, Counters& counters, Deadline deadline) {
  const Answer answer = co_await ask(pool, counters, sql::take_transaction_number, sql::no_transaction_number, {}, deadline);
  if (answer.error) co_return fail(*answer.error);
  co_return answer.reply->results.front().integer(0, 0);
}

}  // namespace

Gaps::State Gaps::look_up(std::uint64_t first, std::int64_t oldest_under_way, MonotonicTime now) {
  const MutexLock lock(mutex_);
  const auto missed = missed_.find(first);
  if (missed == missed_.end()) return State::unknown;
  const bool over = oldest_under_way != 0 ? oldest_under_way >= missed->second.number
                                          : now - missed->second.since > lifetime_max_;
  return over ? State::settled : State::may_come;
}

void Gaps::note(std::uint64_t first, std::int64_t number, MonotonicTime now) {
  const MutexLock lock(mutex_);
  missed_.try_emplace(first, Missed{number, now});
  if (missed_.size() > known_max) missed_.erase(missed_.begin());  // perhaps this one: it is only missed anew
}

Task<Result<ChangePage>> read_changes(LoopPool& pool, Counters& counters, Gaps& gaps, ChangesRequest request,
                                      Deadline deadline) {
  const LoopPool::Visit visit(pool);
  const std::vector<std::string> parameters{binary_bigint(as_bigint(request.after)), binary_bigint(as_bigint(request.limit))};
  // Twice when a position is missing: most of the time its transaction has long failed.
  for (bool first = true;; first = false) {
    const Answer answer =
        co_await ask(pool, counters, sql::read_changes, sql::read_changes_by_time, parameters, deadline);
    if (answer.error) co_return fail(*answer.error);
    std::optional<std::uint64_t> missed;
    const MonotonicTime now = pool.now();
    Result<ChangePage> page = read_rows(answer.reply->results.front(), request, gaps, now, missed);
    if (!page || !missed) co_return page;
    const Result<std::int64_t> number = co_await take_number(pool, counters, deadline);
    if (number) gaps.note(*missed, *number, now);
    if (!number || !first) co_return page;
  }
}

Task<Result<ChangeLogState>> read_change_log(LoopPool& pool, Counters& counters, Deadline deadline) {
  const LoopPool::Visit visit(pool);
  ChangeLogState state;
  std::optional<std::int64_t> number;
  while (true) {
    const Answer answer = co_await ask(pool, counters, sql::read_change_log, sql::read_change_log_by_time, {}, deadline);
    if (answer.error) co_return fail(*answer.error);
    const PgResult& rows = answer.reply->results.front();
    if (rows.rows() == 0) co_return fail(ErrorCode::data_damaged, "the row 'changes' of armazem_meta is missing");
    if (number) {
      if (rows.integer(0, 3) >= *number) co_return state;
    } else {
      state.id = rows.bytes(0, 0);
      state.oldest = static_cast<std::uint64_t>(rows.integer(0, 1));
      state.newest = static_cast<std::uint64_t>(rows.integer(0, 2));
      const Result<std::int64_t> taken = co_await take_number(pool, counters, deadline);
      if (!taken) co_return fail(taken.error());
      number = *taken;
      continue;
    }
    if (deadline.expired(pool.now())) {
      co_return fail(ErrorCode::deadline_exceeded, "transactions that write have been under way for too long");
    }
    auto pause = sleep_until(pool.now() + settle_interval);
    co_await pause;
  }
}

}  // namespace armazem::pg
