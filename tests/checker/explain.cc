#include "checker/explain.h"

#include <algorithm>

namespace armazem::checker {
namespace {

constexpr std::uint64_t steps_max = 3000;  // of one search: an explanation is not worth more

// Operations that say less. If the rest still cannot be ordered, the contradiction does not need them: a write that
// perhaps was never applied; a read that was never asked, or a write that was never sent.
Op perhaps(Op op) {
  op.required = false;
  return op;
}

Op never(Op op) {
  op.role = Role::ignored;
  return op;
}

bool is_read(const std::vector<Op>& ops, std::size_t write) {
  return std::ranges::any_of(
      ops, [&](const Op& op) { return op.role == Role::read && op.source == static_cast<std::int32_t>(write); });
}

bool takes_part(const Op& op) {
  return op.role != Role::ignored && op.role != Role::weak_read && (op.role != Role::write || op.required);
}

}  // namespace

Verdict explain(const KeyHistory& key, LinearizabilitySearch& search, const CheckOptions& options) {
  std::vector<Op> ops(key.ops().begin(), key.ops().end());
  const auto contradicts = [&] {
    return search(key, ops, {steps_max, options.versions_order}) == LinearizabilitySearch::Answer::not_linearizable;
  };
  for (std::size_t at = ops.size(); options.explain && at-- > 0;) {  // from the end: what comes first is the cause
    if (!takes_part(ops[at])) continue;
    const Op before = ops[at];
    ops[at] = before.role == Role::write && is_read(ops, at) ? perhaps(before) : never(before);
    if (!contradicts()) ops[at] = before;
  }
  Verdict verdict =
      key.violation(Violation::not_linearizable, "no order of these operations explains their answers", {});
  for (const Op& op : ops) {
    if (takes_part(op) && op.index != no_event) verdict.events.push_back(op.index);
    if (takes_part(op) && op.index == no_event) verdict.why += ", the final state among them";
  }
  return verdict;
}

}  // namespace armazem::checker
