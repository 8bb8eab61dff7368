#include "service/writer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/limits.h"
#include "core/partition.h"

namespace armazem {
namespace {

Mutation make_mutation(const WriteRequest& request, Version version) {
  Mutation mutation{request.kind, request.key, request.value, version, request.condition, std::nullopt};
  if (request.ttl_seconds > 0) {
    mutation.expires_at_ms = version.ms() + static_cast<std::uint64_t>(request.ttl_seconds) * 1000;
  }
  return mutation;
}

WriteAnswer::Kind answer_kind(Effect effect) noexcept {
  switch (effect) {
    case Effect::created: return WriteAnswer::Kind::created;
    case Effect::replaced: return WriteAnswer::Kind::replaced;
    case Effect::deleted: return WriteAnswer::Kind::deleted;
    case Effect::nothing_to_delete: return WriteAnswer::Kind::nothing_to_delete;
  }
  return WriteAnswer::Kind::created;
}

Result<WriteAnswer> final_answer(const Outcome& outcome, bool never_applied) {
  if (never_applied) {
    return fail(ErrorCode::overloaded, "other writers of this key kept overtaking this write; nothing was changed");
  }
  switch (outcome.verdict) {
    case Verdict::applied: return WriteAnswer{answer_kind(outcome.effect), outcome.version, outcome.replayed};
    case Verdict::condition_failed: return WriteAnswer{WriteAnswer::Kind::condition_failed, outcome.current, false};
    case Verdict::refused: return fail(ErrorCode::internal, "the store can never take this write; nothing was changed");
    case Verdict::superseded:
    case Verdict::indeterminate:
    case Verdict::too_old:
      return fail(ErrorCode::outcome_unknown,
                  "newer writes of this key leave no trace of whether this one was applied");
  }
  return fail(ErrorCode::internal, "unknown verdict");
}

}  // namespace

Task<WriteResult> Writer::write(WriteRequest request) {
  const OpId op = request.op ? *request.op : ops_.next();
  Version version = clock_.stamp(op);
  // A fresh op id that only this call has ever sent, each time with a definite answer and never through the queue (which
  // may deliver a second copy), was certainly never applied before.
  bool fresh = !request.op;
  const Enqueuer::Patience waiting = patience(request);  // the client's: one for all stamps
  for (int restamps = 0;; ++restamps) {
    const Mutation mutation = make_mutation(request, version);
    const Decision decision = co_await send(mutation, request, waiting);
    fresh = fresh && !decision.by_queue;
    if (decision.accepted) co_return WriteResult{version, WriteAnswer{WriteAnswer::Kind::accepted, version, false}};
    if (!decision.outcome) co_return WriteResult{version, fail(decision.outcome.error())};
    const Outcome& outcome = *decision.outcome;
    // Only what was proved never to have been applied may be sent again: by the record's history (superseded), or because
    // a fresh op that was decided `indeterminate` was not applied then and has no other copy on its way.
    const bool never_applied =
        outcome.verdict == Verdict::superseded || (fresh && outcome.verdict == Verdict::indeterminate);
    if (outcome.verdict == Verdict::superseded || outcome.verdict == Verdict::indeterminate) {
      learn(request.key, outcome.current);
    }
    if (!never_applied || restamps == limits::restamps_max) {
      co_return WriteResult{version, final_answer(outcome, never_applied)};
    }
    version = HybridClock::stamp_above(outcome.current, op);
  }
}

Task<Result<Outcome>> Writer::restore(Mutation mutation) {
  return batcher_.submit(std::move(mutation), Deadline::after(time_.now(), options_.store_timeout));
}

Task<Writer::Decision> Writer::send(const Mutation& mutation, const WriteRequest& request, Enqueuer::Patience waiting) {
  const bool conditional = mutation.condition.kind != Condition::Kind::none;
  const bool by_queue = queue_ != nullptr && !conditional && !is_ahead(mutation.key);
  if (!by_queue) {
    Result<Outcome> outcome = co_await send_directly(mutation, request);
    co_return Decision{false, false, std::move(outcome)};
  }
  using Fate = QueuedWrite::Fate;
  const QueuedWrite queued = co_await queue_->submit(mutation, waiting);
  if (queued.fate == Fate::decided) co_return Decision{false, true, queued.outcome};
  if (queued.fate == Fate::confirmed) co_return Decision{true, true, Outcome{}};
  const bool certainly_not = queued.fate == Fate::not_queued;
  Result<Outcome> direct = co_await send_directly(mutation, request);
  if (!direct && queued.fate == Fate::reply_lost) co_return Decision{true, true, Outcome{}};
  if (!direct && queued.fate == Fate::maybe) {
    const std::string why =
        "the queue did not confirm the write, and the store could not be asked: " + direct.error().message;
    direct = fail(ErrorCode::outcome_unknown, why);
  }
  co_return Decision{false, !certainly_not, std::move(direct)};
}

Task<Result<Outcome>> Writer::send_directly(Mutation mutation, const WriteRequest& request) {
  std::chrono::milliseconds timeout = options_.store_timeout;
  if (request.wait) timeout = std::max<std::chrono::milliseconds>(timeout, *request.wait);
  co_return co_await batcher_.submit(std::move(mutation), Deadline::after(time_.now(), timeout));
}

// So that the next write of this server need not lose a round trip too.
void Writer::learn(const Key& key, const Version& current) {
  if (clock_.observe(current)) return;
  // Too far ahead: the key stays its own affair.
  const MonotonicTime until = time_.now() + options_.ahead_for;
  ahead_slot(key).store(until.time_since_epoch().count(), std::memory_order_relaxed);
}

bool Writer::is_ahead(const Key& key) {
  return ahead_slot(key).load(std::memory_order_relaxed) > time_.now().time_since_epoch().count();
}

std::atomic<MonotonicClock::rep>& Writer::ahead_slot(const Key& key) {
  return ahead_until_[key_hash(key.text()) % ahead_until_.size()];
}

Enqueuer::Patience Writer::patience(const WriteRequest& request) const {
  if (request.respond_async) return {MonotonicTime::min(), false};
  if (request.wait) return {time_.now() + *request.wait, true};
  return {time_.now() + options_.queue_wait, false};
}

}  // namespace armazem
