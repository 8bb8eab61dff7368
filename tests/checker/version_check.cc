#include "checker/version_check.h"

#include <algorithm>

namespace armazem::checker {
namespace {

// The newest version that is known to have been applied before a moment; moments must not go back.
template <typename Facts>
class Frontier {
 public:
  explicit Frontier(const Facts& facts) : facts_(facts) {}
  const Op* before(std::uint64_t moment) {
    for (; next_ < facts_.size() && facts_[next_].at < moment; ++next_) {
      const Op* op = facts_[next_].op;
      if (newest_ == nullptr || newest_->version < op->version) newest_ = op;
    }
    return newest_;
  }

 private:
  const Facts& facts_;
  std::size_t next_ = 0;
  const Op* newest_ = nullptr;
};

bool is_older(const KeyHistory& key, const Op& read, const Version& floor) {
  if (!read.version.is_nil()) return read.version < floor;
  if (read.source != absent) {
    const Version& written = key.ops()[static_cast<std::size_t>(read.source)].version;
    return !written.is_nil() && written < floor;
  }
  return read.role != Role::refused && !key.may_be_absent(floor, read.returned);
}

std::optional<Verdict> judge(const KeyHistory& key, const Op& op, const Op& newest) {
  if (op.role == Role::write) {
    if (!op.required || op.version.is_nil() || newest.version < op.version) return std::nullopt;
    return key.violation(Violation::version_order,
                         "applied under a version that is not newer than " + newest.version.text() +
                             ", which was applied before it began",
                         {&newest, &op});
  }
  if (!is_older(key, op, newest.version)) return std::nullopt;
  if (op.index == no_event) {
    return key.violation(Violation::lost_write,
                         "the key is older than " + newest.version.text() + ", which was applied", {&newest, &op});
  }
  return key.violation(Violation::version_order,
                       "older than " + newest.version.text() + ", which was applied before it began", {&newest, &op});
}

std::optional<Verdict> judge_session(const KeyHistory& key, const Op& op) {
  const Version& floor = op.event->min_version;
  if (floor.is_nil() || !is_older(key, op, floor)) return std::nullopt;
  const Op* write = key.find_version(floor);
  const bool own = write != nullptr && write->event->client == op.event->client;
  return key.violation(Violation::session_stale,
                       std::string(own ? "does not see the client's own write " : "goes back behind ") + floor.text() +
                           ", which was asked for",
                       {write, &op});
}

}  // namespace

std::optional<Verdict> VersionCheck::operator()(const KeyHistory& key, const CheckOptions& options) {
  gather_facts(key);
  Frontier now(facts_);
  Frontier then(facts_);
  const std::uint64_t bound = options.ttl_us + options.margin_us;
  for (const Op& op : key.ops()) {
    if (op.role == Role::ignored) continue;
    if (op.role == Role::weak_read) {
      if (op.event->level == Level::session) {
        if (auto found = judge_session(key, op)) return found;
      }
      const Op* newest = op.invoked > bound ? then.before(op.invoked - bound) : nullptr;
      if (newest != nullptr && is_older(key, op, newest->version)) {
        return key.violation(
            Violation::cache_stale,
            "older than " + newest->version.text() + ", although that was applied longer ago than the time to live",
            {newest, &op});
      }
      continue;
    }
    const Op* newest = options.versions_order ? now.before(op.invoked) : nullptr;
    if (newest == nullptr) continue;
    if (auto found = judge(key, op, *newest)) return found;
  }
  return std::nullopt;
}

void VersionCheck::gather_facts(const KeyHistory& key) {
  facts_.clear();
  for (const Op& op : key.ops()) {
    const bool proves = op.role != Role::ignored && !op.version.is_nil() && op.returned != never_returned &&
                        (op.role != Role::write || op.required);
    if (proves) facts_.push_back({op.returned, &op});
  }
  std::ranges::sort(facts_, {}, &Fact::at);
}

}  // namespace armazem::checker
