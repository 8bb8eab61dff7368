#include "service/writer.h"

#include <utility>

#include "core/limits.h"

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
    case Verdict::superseded:
    case Verdict::indeterminate:
    case Verdict::too_old:
      return fail(ErrorCode::outcome_unknown, "newer writes of this key leave no trace of whether this one was applied");
    case Verdict::refused: return fail(ErrorCode::invalid_argument, "the store refuses this write; nothing was changed");
  }
  return fail(ErrorCode::internal, "unknown verdict");
}

}  // namespace

Task<Result<WriteAnswer>> Writer::write(WriteRequest request, Deadline deadline) {
  const OpId op = request.op ? *request.op : ops_.next();
  // A fresh op id that only this call has ever sent, each time with a definite answer, was certainly never applied before.
  const bool fresh = !request.op;
  Version version = clock_.stamp(op);
  for (int restamps = 0;; ++restamps) {
    Mutation mutation = make_mutation(request, version);
    const Result<Outcome> outcome = co_await batcher_.submit(std::move(mutation), deadline);
    if (!outcome) co_return fail(outcome.error());
    // Only what was proved never to have been applied may be sent again: by the record's history (superseded), or because
    // a fresh op that was decided `indeterminate` was not applied then and has no other copy on its way.
    const bool never_applied = outcome->verdict == Verdict::superseded || (fresh && outcome->verdict == Verdict::indeterminate);
    if (!never_applied || restamps == limits::restamps_max) co_return final_answer(*outcome, never_applied);
    version = HybridClock::stamp_above(outcome->current, op);
  }
}

}  // namespace armazem
