#include "checker/explain.h"

#include <algorithm>

namespace armazem::checker {
namespace {

// An operation that says less: a read that was never asked, a write that perhaps was never applied. If the rest still cannot
// be ordered, the contradiction does not need it.
Op weakened(Op op) {
  if (op.role == Role::write) {
    op.required = false;
  } else {
    op.role = Role::ignored;
  }
  return op;
}

bool takes_part(const Op& op) { return op.role != Role::ignored && op.role != Role::weak_read && (op.role != Role::write || op.required); }

}  // namespace

Verdict explain(const KeyHistory& key, LinearizabilitySearch& search, const CheckOptions& options) {
  std::vector<Op> ops(key.ops().begin(), key.ops().end());
  const LinearizabilitySearch::Limits limits{options.search_steps_max / 20, options.versions_order};
  for (std::size_t at = ops.size(); options.explain && at-- > 0;) {  // from the end: what comes first is the cause
    if (!takes_part(ops[at])) continue;
    const Op before = ops[at];
    ops[at] = weakened(before);
    if (search(key, ops, limits) != LinearizabilitySearch::Answer::not_linearizable) ops[at] = before;
  }
  Verdict verdict = key.violation(Violation::not_linearizable, "no order of these operations explains their answers", {});
  for (const Op& op : ops) {
    if (takes_part(op) && op.index != no_event) verdict.events.push_back(op.index);
    if (takes_part(op) && op.index == no_event) verdict.why += ", the final state among them";
  }
  return verdict;
}

}  // namespace armazem::checker
