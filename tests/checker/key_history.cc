#include "checker/key_history.h"

#include <algorithm>

namespace armazem::checker {
namespace {

Role role_of(const Event& event) noexcept {
  if (event.kind == Kind::get) {
    if (event.outcome != Outcome::ok) return Role::ignored;
    return event.level == Level::strong ? Role::read : Role::weak_read;
  }
  if (event.outcome == Outcome::failed) return event.status == 412 && event.conditional ? Role::refused : Role::ignored;
  if (event.resolution == Resolution::superseded) return Role::ignored;
  return Role::write;
}

bool contradict(const Version& known, const Version& seen, bool may_be_restamped) noexcept {
  if (known.is_nil() || seen.is_nil()) return false;
  return may_be_restamped ? known.op() != seen.op() : known != seen;
}

// The answer to an acknowledged write names the version of its application; that of another may have been stamped
// again.
bool has_final_version(const Event& event) noexcept {
  return event.outcome == Outcome::ok || event.resolution == Resolution::applied;
}

}  // namespace

std::optional<Verdict> KeyHistory::load(const History& history, std::span<const std::uint32_t> events,
                                        const FinalState* final_state, const CheckOptions& options) {
  final_ = final_state;
  add_events(history, events);
  if (auto found = index_puts()) return found;
  if (auto found = match_reads()) return found;
  if (auto found = match_applied()) return found;
  if (auto found = index_versions()) return found;
  if (final_ == nullptr || !options.drained) return std::nullopt;
  settle();
  return check_resolved();
}

// Nothing is on its way in the end: what was applied was applied before the final read.
void KeyHistory::settle() {
  const auto end = std::ranges::find(ops_, no_event, &Op::index)->invoked;
  for (Op& op : ops_) {
    if (op.role == Role::write && op.required) op.returned = std::min(op.returned, end - 1);
  }
}

void KeyHistory::add_events(const History& history, std::span<const std::uint32_t> events) {
  ops_.clear();
  for (const std::uint32_t at : events) {
    const Event& event = history.events[at];
    key_ = event.key;
    Op op{&event, at, role_of(event), false, absent, event.invoked_us, event.returned_us, event.version};
    if (op.role == Role::write) {
      op.required = op.version_is_final = has_final_version(event);
      if (event.outcome != Outcome::ok) op.returned = never_returned;
    }
    ops_.push_back(op);
  }
  if (final_ != nullptr) add_final_read();
  std::ranges::stable_sort(ops_, {}, &Op::invoked);
}

// The end is one more strong read, after everything that returned.
void KeyHistory::add_final_read() {
  std::uint64_t last = 0;
  for (const Op& op : ops_) {
    last = std::max(last, op.invoked);
    if (op.returned != never_returned) last = std::max(last, op.returned);
  }
  key_ = final_->key;
  final_read_ = {};
  final_read_.key = key_;
  final_read_.value = final_->store_value;
  final_read_.outcome = Outcome::ok;
  ops_.push_back({&final_read_, no_event, Role::read, false, absent, last + 1, last + 2, final_->store_version});
}

std::optional<Verdict> KeyHistory::index_puts() {
  puts_.clear();
  removes_.clear();
  for (std::size_t at = 0; at < ops_.size(); ++at) {
    const Op& op = ops_[at];
    if (op.event->kind == Kind::put) puts_.emplace_back(op.event->value, static_cast<std::int32_t>(at));
    if (op.event->kind == Kind::remove && op.role == Role::write) removes_.push_back(static_cast<std::int32_t>(at));
  }
  std::ranges::sort(puts_);
  for (std::size_t at = 0; at < puts_.size(); ++at) {
    const Op& op = ops_[static_cast<std::size_t>(puts_[at].second)];
    if (puts_[at].first == 0) return violation(Violation::malformed, "a put of value 0, which means absent", {&op});
    if (at > 0 && puts_[at].first == puts_[at - 1].first) {
      return violation(Violation::malformed, "two puts of one value",
                       {&ops_[static_cast<std::size_t>(puts_[at - 1].second)], &op});
    }
  }
  return std::nullopt;
}

std::optional<Verdict> KeyHistory::match_reads() {
  for (Op& op : ops_) {
    if (op.role != Role::read && op.role != Role::weak_read) continue;
    if (op.event->value == 0) continue;
    if (auto found = match_read(op)) return found;
  }
  return std::nullopt;
}

std::optional<Verdict> KeyHistory::match_read(Op& read) {
  const std::uint64_t value = read.event->value;
  const auto place = std::ranges::lower_bound(puts_, value, {}, &std::pair<std::uint64_t, std::int32_t>::first);
  if (place == puts_.end() || place->first != value) {
    return violation(Violation::invented_value, "a value was read that nobody wrote", {&read});
  }
  read.source = place->second;
  Op& write = ops_[static_cast<std::size_t>(place->second)];
  if (write.role != Role::write) {
    return violation(Violation::failed_write_seen, "a value was read whose write was answered as without effect",
                     {&write, &read});
  }
  if (read.returned < write.invoked) {
    return violation(Violation::read_from_future, "a value was read before its write began", {&read, &write});
  }
  return learn_version(write, read);
}

// A read proves that the write was applied before it returned, and under which version.
std::optional<Verdict> KeyHistory::learn_version(Op& write, const Op& read) {
  if (contradict(write.version, read.version, !write.version_is_final)) {
    return violation(Violation::version_mismatch,
                     "written under " + write.version.text() + " and read under " + read.version.text(),
                     {&write, &read});
  }
  write.required = true;
  write.returned = std::min(write.returned, read.returned);
  if (!read.version.is_nil()) {
    write.version = read.version;
    write.version_is_final = true;
  }
  return std::nullopt;
}

Op* KeyHistory::writer_of(const AppliedWrite& applied) noexcept {
  if (applied.value != 0) {
    const auto place =
        std::ranges::lower_bound(puts_, applied.value, {}, &std::pair<std::uint64_t, std::int32_t>::first);
    return place != puts_.end() && place->first == applied.value ? &ops_[static_cast<std::size_t>(place->second)]
                                                                 : nullptr;
  }
  for (const std::int32_t at : removes_) {
    Op& remove = ops_[static_cast<std::size_t>(at)];
    if (!remove.version.is_nil() && remove.version.op() == applied.version.op()) return &remove;
  }
  return nullptr;
}

// With a complete list of what was applied nothing is unknown any more: what is not in it was never applied.
std::optional<Verdict> KeyHistory::match_applied() {
  if (final_ == nullptr || !final_->applied_known) return std::nullopt;
  const auto& list = final_->applied;
  for (std::size_t at = 0; at < list.size(); ++at) {
    if (at > 0 && !(list[at - 1].version < list[at].version)) {
      return violation(Violation::version_order, "applied versions do not increase: " + list[at].version.text(), {});
    }
    for (std::size_t before = 0; before < at; ++before) {
      if (list[before].version.op() == list[at].version.op() ||
          (list[at].value != 0 && list[before].value == list[at].value)) {
        const Op* write = writer_of(list[at]);
        return violation(Violation::applied_twice,
                         "applied under " + list[before].version.text() + " and again under " + list[at].version.text(),
                         {write});
      }
    }
    if (auto found = match_applied_write(list[at])) return found;
  }
  const bool deletes_unmatched =
      std::ranges::any_of(list, [&](const AppliedWrite& each) { return writer_of(each) == nullptr; });
  for (Op& op : ops_) {
    if (op.role != Role::write) continue;
    const bool there = std::ranges::any_of(list, [&](const AppliedWrite& each) { return writer_of(each) == &op; });
    if (there) continue;
    if (op.required) {
      if (op.event->kind == Kind::remove && op.version.is_nil() && deletes_unmatched) continue;
      return violation(Violation::lost_write, "acknowledged, and never applied", {&op});
    }
    // Which of the deletes without a known version an entry belongs to is not known.
    if (op.event->kind == Kind::put || !op.version.is_nil() || !deletes_unmatched) op.role = Role::ignored;
  }
  return std::nullopt;
}

std::optional<Verdict> KeyHistory::match_applied_write(const AppliedWrite& applied) {
  Op* write = writer_of(applied);
  if (write == nullptr) {
    const bool some = applied.value == 0 && std::ranges::any_of(removes_, [&](std::int32_t at) {
                        return ops_[static_cast<std::size_t>(at)].version.is_nil();
                      });
    if (some) return std::nullopt;
    return violation(Violation::invented_value, "applied under " + applied.version.text() + ", and nobody wrote it",
                     {});
  }
  if (write->role != Role::write) {
    return violation(Violation::failed_write_seen, "applied, and answered as without effect", {write});
  }
  if (contradict(write->version, applied.version, !write->version_is_final)) {
    return violation(Violation::version_mismatch,
                     "known as " + write->version.text() + " and applied under " + applied.version.text(), {write});
  }
  write->required = write->version_is_final = true;
  write->version = applied.version;
  return std::nullopt;
}

std::optional<Verdict> KeyHistory::index_versions() {
  versions_.clear();
  for (std::size_t at = 0; at < ops_.size(); ++at) {
    if (ops_[at].role == Role::write && !ops_[at].version.is_nil())
      versions_.emplace_back(ops_[at].version, static_cast<std::int32_t>(at));
  }
  std::ranges::sort(versions_);
  for (std::size_t at = 1; at < versions_.size(); ++at) {
    if (versions_[at].first != versions_[at - 1].first) continue;
    const Op& one = ops_[static_cast<std::size_t>(versions_[at - 1].second)];
    const Op& two = ops_[static_cast<std::size_t>(versions_[at].second)];
    return violation(Violation::version_mismatch, "two writes under version " + one.version.text(), {&one, &two});
  }
  for (const Op& op : ops_) {
    if (op.role != Role::read && op.role != Role::weak_read) continue;
    const Op* write = find_version(op.version);
    const bool wrong = write != nullptr && (op.event->value == 0 ? write->event->kind == Kind::put
                                                                 : write != &ops_[static_cast<std::size_t>(op.source)]);
    if (wrong) return violation(Violation::version_mismatch, "read under the version of another write", {write, &op});
  }
  return std::nullopt;
}

std::optional<Verdict> KeyHistory::check_resolved() const {
  for (const Op& op : ops_) {
    if (op.event->outcome != Outcome::accepted || op.event->kind == Kind::get || op.required) continue;
    if (op.event->resolution == Resolution::pending) {
      return violation(Violation::unresolved, "accepted, and still pending in the end", {&op});
    }
    if (op.role != Role::write || op.version.is_nil() || final_->store_version.is_nil()) continue;
    if (final_->store_version < op.version && final_->store_version.op() != op.version.op()) {
      return violation(Violation::lost_write,
                       "accepted, neither applied nor replaced: in the end the key holds the older version " +
                           final_->store_version.text(),
                       {&op});
    }
  }
  return std::nullopt;
}

bool KeyHistory::may_be_absent(const Version& floor, std::uint64_t returned) const noexcept {
  return std::ranges::any_of(removes_, [&](std::int32_t at) {
    const Op& remove = ops_[static_cast<std::size_t>(at)];
    if (remove.role != Role::write || remove.invoked > returned) return false;
    return remove.version.is_nil() || !(remove.version < floor);
  });
}

const Op* KeyHistory::find_version(const Version& version) const noexcept {
  if (version.is_nil()) return nullptr;
  const auto place = std::ranges::lower_bound(versions_, version, {}, &std::pair<Version, std::int32_t>::first);
  return place != versions_.end() && place->first == version ? &ops_[static_cast<std::size_t>(place->second)] : nullptr;
}

Verdict KeyHistory::violation(Violation kind, std::string why, std::initializer_list<const Op*> ops) const {
  Verdict verdict;
  verdict.ok = false;
  verdict.violation = kind;
  verdict.key = key_;
  verdict.why = std::move(why);
  for (const Op* op : ops) {
    if (op != nullptr && op->index != no_event) verdict.events.push_back(op->index);
    if (op != nullptr && op->index == no_event) verdict.why += " (in the end)";
  }
  return verdict;
}

}  // namespace armazem::checker
