#include "simulation/store_server.h"

#include <algorithm>
#include <charconv>

#include "adapters/retention.h"
#include "core/planted.h"

namespace armazem::sim {

namespace {

// How long the planted server keeps what it has answered before it writes it down.
constexpr Microseconds sync_delay = 20'000;

}  // namespace

std::uint64_t number_of(const Value& value) noexcept {
  std::uint64_t number = 0;
  std::from_chars(value.bytes.data(), value.bytes.data() + value.bytes.size(), number);
  return number;
}

StoreServer::Row& StoreServer::row(const Key& key) {
  const auto found = std::ranges::find(rows_, key, &Row::key);
  return found != rows_.end() ? *found : rows_.emplace_back(Row{key, std::nullopt, {}, {}, {}});
}

std::vector<Outcome> StoreServer::commit(std::vector<Mutation> mutations, ApplyGuard guard) {
  std::vector<Outcome> outcomes(mutations.size());
  for (const std::uint32_t i : batch_order(mutations)) {
    Row& row = this->row(mutations[i].key);
    const std::uint64_t value = mutations[i].kind == Mutation::Kind::put ? number_of(mutations[i].value) : 0;
    if (planted(Bug::answer_before_commit)) not_durable_.push_back({world_.now(), row.key, row.record, row.applied.size()});
    const OpId op = mutations[i].version.op();
    row.decided.push_back(op);
    if (std::ranges::find(row.overtaken, op) != row.overtaken.end()) world_.count(Seen::restamped);
    const bool dropped_before = row.record && row.record->history.has_dropped();
    const Applied applied = armazem::apply(row.record, std::move(mutations[i]), guard);
    outcomes[i] = applied.outcome;
    if (applied.changed) {
      row.applied.push_back({applied.outcome.version, value});
      if (!dropped_before && row.record->history.has_dropped()) world_.count(Seen::history_dropped);
    }
    switch (applied.outcome.verdict) {
      case Verdict::superseded:
        world_.count(Seen::superseded);
        row.overtaken.push_back(op);
        break;
      case Verdict::indeterminate: world_.count(Seen::indeterminate); break;
      case Verdict::too_old: world_.count(Seen::too_old); break;
      case Verdict::applied:
        if (applied.outcome.replayed) world_.count(Seen::already_applied);
        break;
      default: break;
    }
    world_.mix(static_cast<std::uint64_t>(applied.outcome.verdict));
    if (world_.tracing()) {
      static constexpr std::array<std::string_view, verdict_count> verdicts{"applied",  "condition failed", "superseded", "indeterminate",
                                                                            "too old", "refused"};
      const Outcome& outcome = outcomes[i];
      world_.trace("store: " + row.key.text() + " = " + std::to_string(value) + ": " +
                   std::string(verdicts[static_cast<std::size_t>(outcome.verdict)]) + (outcome.replayed ? " before" : "") + " " +
                   outcome.version.text() + ", now " + outcome.current.text());
    }
  }
  return outcomes;
}

PurgeReport StoreServer::purge(PurgeRequest request) {
  PurgeReport report;
  for (Row& row : rows_) {
    if (!row.record) continue;
    const auto start_ms = retention_start_ms(*row.record);
    if (!start_ms || *start_ms >= request.before_ms) continue;
    row.record.reset();
    ++report.removed;
    world_.count(Seen::purged);
    if (world_.tracing()) world_.trace("store: " + row.key.text() + " purged");
  }
  return report;
}

void StoreServer::lose_power() {
  while (!not_durable_.empty() && not_durable_.back().at + sync_delay > world_.now()) {
    Undo& undo = not_durable_.back();
    Row& row = this->row(undo.key);
    row.record = std::move(undo.record);
    row.applied.resize(undo.applied);
    not_durable_.pop_back();
  }
  not_durable_.clear();
}

template <class T, class Execute>
Task<Result<T>> SimStore::call(Execute execute, Deadline deadline, bool writes) {
  using Answer = Result<T>;
  auto& rpc = *new Rpc<Answer>(world_, process_);
  const Microseconds end = World::since_begin(std::min(deadline.time(), process_.now() + std::chrono::seconds(10)));
  const bool lose_request = link.is_cut() || Link::spend(link.lose_requests);
  const bool lose_answer = Link::spend(link.lose_answers);
  const Error no_answer = writes ? Error{ErrorCode::outcome_unknown, "the store did not answer in time"}
                                 : Error{ErrorCode::deadline_exceeded, "the store did not answer in time"};
  world_.schedule(end, nullptr, [&rpc, no_answer] { rpc.finish(fail(no_answer)); });
  if (lose_request) {
    // Where the connection breaks, the client learns it; whether anything had been done, it does not.
    if (world_.random.chance(50)) {
      world_.after(link.delay(), nullptr, [&rpc, no_answer] { rpc.finish(fail(no_answer)); });
    }
    co_return co_await rpc;
  }
  const auto arrive = [this, &rpc, no_answer, lose_answer, writes, end, execute = std::move(execute)]() mutable {
    if (world_.now() < server_.down_until) {
      world_.after(link.delay(), nullptr, [&rpc] { rpc.finish(fail(ErrorCode::unavailable, "the store is down")); });
      return;
    }
    if (world_.now() < server_.hangs_until && !writes) return;
    if (writes && rpc.done()) world_.count(Seen::store_late_commit);
    Answer answer(execute());
    if (lose_answer) {
      if (world_.random.chance(50)) world_.after(link.delay(), nullptr, [&rpc, no_answer] { rpc.finish(fail(no_answer)); });
      return;
    }
    world_.after(link.delay(), nullptr, [&rpc, answer = std::move(answer)]() mutable { rpc.finish(std::move(answer)); });
  };
  Microseconds delay = link.delay();
  if (world_.now() < server_.conflicts_until && writes) delay += world_.random.spread(500, 40'000);
  // A server that hangs goes on with what it had taken, long after whoever asked has given up.
  if (world_.now() < server_.hangs_until && writes) delay += server_.hangs_until - world_.now() + world_.random.below(2'000);
  world_.after(delay, nullptr, arrive);
  co_return co_await rpc;
}

Task<Result<std::optional<Record>>> SimStore::get(const Key& key, Deadline deadline) {
  StoreServer* const server = &server_;
  return call<std::optional<Record>>([server, key] { return server->row(key).record; }, deadline, false);
}

Task<Result<std::vector<Outcome>>> SimStore::apply(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline) {
  if (mutations.size() > 1) world_.count(Seen::batched);
  StoreServer* const server = &server_;
  const auto execute = [server, guard, mutations = std::move(mutations)]() mutable {
    return server->commit(std::move(mutations), guard);
  };
  return call<std::vector<Outcome>>(execute, deadline, true);
}

Task<Result<ScanPage>> SimStore::scan(ScanRequest, Deadline) {
  return Task<Result<ScanPage>>(Result<ScanPage>(fail(ErrorCode::internal, "not simulated")));
}

Task<Result<PurgeReport>> SimStore::purge(PurgeRequest request, Deadline deadline) {
  StoreServer* const server = &server_;
  return call<PurgeReport>([server, request] { return server->purge(request); }, deadline, true);
}

Task<StoreHealth> SimStore::health(Deadline deadline) {
  const Result<bool> asked = co_await call<bool>([] { return true; }, deadline, false);
  co_return StoreHealth{asked.has_value(), asked ? "simulated" : asked.error().message};
}

}  // namespace armazem::sim
