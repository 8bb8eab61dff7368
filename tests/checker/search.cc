#include "checker/search.h"

#include <algorithm>

namespace armazem::checker {
namespace {

constexpr std::size_t table_slots_min = 64;

const Op& at(std::span<const Op> ops, std::int32_t position) { return ops[static_cast<std::size_t>(position)]; }

std::uint64_t mixed(std::uint64_t hash, std::uint64_t word) {  // the finaliser of SplitMix64
  hash = (hash ^ word) + 0x9E3779B97F4A7C15;
  hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
  return hash ^ (hash >> 31);
}

}  // namespace

LinearizabilitySearch::Answer LinearizabilitySearch::operator()(const KeyHistory& key, const Limits& limits) {
  return (*this)(key, key.ops(), limits);
}

LinearizabilitySearch::Answer LinearizabilitySearch::operator()(const KeyHistory& key, std::span<const Op> ops,
                                                                const Limits& limits) {
  key_ = &key;
  versions_order_ = limits.versions_order;
  prepare(ops);
  return run(limits.steps_max);
}

void LinearizabilitySearch::prepare(std::span<const Op> ops) {
  items_.clear();
  entries_.clear();
  call_.clear();
  return_.clear();
  ordered_.clear();
  required_left_ = 0;
  entries_.push_back({});
  for (std::size_t position = 0; position < ops.size(); ++position)
    add_item(ops[position], static_cast<std::int32_t>(position));
  link_entries();
  std::ranges::sort(ordered_, {},
                    [&](std::int32_t item) { return items_[static_cast<std::size_t>(item)].op->version; });
  next_ordered_ = 0;
  state_ = absent;
  newest_ = none;
  done_.assign((items_.size() + 63) / 64, 0);
  seen_.clear();
  seen_count_ = 0;
  table_.assign(table_slots_min, 0);
  stack_.clear();
}

void LinearizabilitySearch::add_item(const Op& op, std::int32_t position) {
  if (op.role == Role::ignored || op.role == Role::weak_read) return;
  const bool reads = op.role != Role::write;
  const auto item = static_cast<std::int32_t>(items_.size());
  items_.push_back({&op, position, reads ? Turn::reads : op.required ? Turn::required : Turn::optional});
  entries_.push_back({op.invoked, item, false, 0, 0});
  if (reads || op.required) {
    ++required_left_;
    if (op.returned != never_returned) entries_.push_back({op.returned, item, true, 0, 0});
  }
  if (is_ordered(items_.back())) ordered_.push_back(item);
}

// Calls before returns of the same time: they overlapped, as far as one can tell.
void LinearizabilitySearch::link_entries() {
  std::sort(entries_.begin() + 1, entries_.end(),
            [](const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.is_return < b.is_return; });
  call_.assign(items_.size(), none);
  return_.assign(items_.size(), none);
  const auto count = static_cast<std::int32_t>(entries_.size());
  for (std::int32_t place = 0; place < count; ++place) {
    Entry& entry = entries_[static_cast<std::size_t>(place)];
    entry.previous = place - 1;
    entry.next = place + 1 < count ? place + 1 : none;
    if (place > 0) (entry.is_return ? return_ : call_)[static_cast<std::size_t>(entry.item)] = place;
  }
}

LinearizabilitySearch::Answer LinearizabilitySearch::run(std::uint64_t steps_max) {
  turn_ = Turn::reads;
  cursor_ = entries_[0].next;
  for (std::uint64_t steps = 0; required_left_ > 0;) {
    if (cursor_ == none || entries_[static_cast<std::size_t>(cursor_)].is_return) {
      if (turn_ != Turn::optional) {
        turn_ = turn_ == Turn::reads ? Turn::required : Turn::optional;
        cursor_ = entries_[0].next;
      } else if (!undo()) {
        return Answer::not_linearizable;
      }
      continue;
    }
    const Entry& entry = entries_[static_cast<std::size_t>(cursor_)];
    const Item& item = items_[static_cast<std::size_t>(entry.item)];
    if (item.turn != turn_ || !fits(item)) {
      cursor_ = entry.next;
      continue;
    }
    if (++steps > steps_max) return Answer::given_up;
    take(cursor_);
  }
  return Answer::linearizable;
}

bool LinearizabilitySearch::is_live() const {
  return state_ != absent && at(key_->ops(), state_).event->kind == Kind::put;
}

const Version& LinearizabilitySearch::state_version() const {
  static const Version nil;
  return state_ == absent ? nil : at(key_->ops(), state_).version;
}

bool LinearizabilitySearch::condition_may_hold(const Event& event) const {
  if (!event.conditional) return true;
  if (event.if_none_match) return !is_live();
  if (!is_live()) return false;
  if (!event.if_match) return true;
  const Version& held = state_version();
  return held.is_nil() ? key_->find_version(*event.if_match) == nullptr : held == *event.if_match;
}

bool LinearizabilitySearch::condition_may_fail(const Event& event) const {
  if (event.if_none_match) return is_live();
  if (!is_live()) return true;
  if (!event.if_match) return false;
  return state_version().is_nil() || state_version() != *event.if_match;
}

bool LinearizabilitySearch::fits(const Item& item) const {
  const Op& op = *item.op;
  if (op.role == Role::write) return write_fits(item);
  const bool versions_agree = op.version.is_nil() || state_version().is_nil() || op.version == state_version();
  if (op.role == Role::refused) return condition_may_fail(*op.event) && versions_agree;
  return is_live() ? op.source == state_ : op.event->value == 0 && versions_agree;
}

bool LinearizabilitySearch::write_fits(const Item& item) const {
  const Event& event = *item.op->event;
  if (event.outcome == Outcome::ok) {
    const bool on_live = event.status == 200 || event.status == 204;
    const bool on_nothing = event.status == 201 || event.status == 404;
    if ((on_live && !is_live()) || (on_nothing && is_live())) return false;
  }
  return condition_may_hold(event) && may_be_next_version(item);
}

bool LinearizabilitySearch::may_be_next_version(const Item& item) const {
  const Version& version = item.op->version;
  if (!versions_order_ || version.is_nil()) return true;
  if (newest_ != none && !(at(key_->ops(), newest_).version < version)) return false;
  if (next_ordered_ == ordered_.size()) return true;
  const Item& next = items_[static_cast<std::size_t>(ordered_[next_ordered_])];
  return item.turn == Turn::required ? next.op == item.op : version < next.op->version;
}

void LinearizabilitySearch::take(std::int32_t entry) {
  const std::int32_t number = entries_[static_cast<std::size_t>(entry)].item;
  const Item& item = items_[static_cast<std::size_t>(number)];
  stack_.push_back({entry, state_, newest_, turn_});
  done_[static_cast<std::size_t>(number) / 64] |= std::uint64_t{1} << (number % 64);
  if (item.turn != Turn::reads) {
    state_ = item.position;
    if (!item.op->version.is_nil()) newest_ = item.position;
    if (is_ordered(item)) ++next_ordered_;
  }
  if (item.turn != Turn::optional) --required_left_;
  unlink(entry);
  if (return_[static_cast<std::size_t>(number)] != none) unlink(return_[static_cast<std::size_t>(number)]);
  turn_ = Turn::reads;
  cursor_ = entries_[0].next;
  if (item.turn != Turn::reads && !remember()) undo();
}

// Back to before the last choice, and on to the next one; false when there is none.
bool LinearizabilitySearch::undo() {
  while (!stack_.empty()) {
    const Frame frame = stack_.back();
    stack_.pop_back();
    const std::int32_t number = entries_[static_cast<std::size_t>(frame.entry)].item;
    const Item& item = items_[static_cast<std::size_t>(number)];
    if (return_[static_cast<std::size_t>(number)] != none) relink(return_[static_cast<std::size_t>(number)]);
    relink(frame.entry);
    done_[static_cast<std::size_t>(number) / 64] &= ~(std::uint64_t{1} << (number % 64));
    if (is_ordered(item)) --next_ordered_;
    if (item.turn != Turn::optional) ++required_left_;
    state_ = frame.state;
    newest_ = frame.newest;
    turn_ = frame.turn;
    cursor_ = entries_[static_cast<std::size_t>(frame.entry)].next;
    if (item.turn != Turn::reads) return true;  // instead of reading now, reading later gains nothing
  }
  return false;
}

void LinearizabilitySearch::unlink(std::int32_t place) {
  const Entry& entry = entries_[static_cast<std::size_t>(place)];
  entries_[static_cast<std::size_t>(entry.previous)].next = entry.next;
  if (entry.next != none) entries_[static_cast<std::size_t>(entry.next)].previous = entry.previous;
}

void LinearizabilitySearch::relink(std::int32_t place) {
  const Entry& entry = entries_[static_cast<std::size_t>(place)];
  entries_[static_cast<std::size_t>(entry.previous)].next = place;
  if (entry.next != none) entries_[static_cast<std::size_t>(entry.next)].previous = place;
}

std::size_t LinearizabilitySearch::slot_of(const std::uint64_t* words) const {
  std::uint64_t hash = 0;
  const std::size_t stride = done_.size() + 1;
  for (std::size_t word = 0; word < stride; ++word) hash = mixed(hash, words[word]);
  for (std::size_t slot = hash & (table_.size() - 1);; slot = (slot + 1) & (table_.size() - 1)) {
    if (table_[slot] == 0) return slot;
    const std::uint64_t* other = &seen_[(table_[slot] - 1) * stride];
    if (std::equal(words, words + stride, other)) return slot;
  }
}

bool LinearizabilitySearch::remember() {
  const std::size_t stride = done_.size() + 1;
  seen_.insert(seen_.end(), done_.begin(), done_.end());
  seen_.push_back(static_cast<std::uint64_t>(static_cast<std::int64_t>(state_)));
  const std::size_t slot = slot_of(&seen_[seen_.size() - stride]);
  if (table_[slot] != 0) {
    seen_.resize(seen_.size() - stride);
    return false;
  }
  table_[slot] = static_cast<std::uint32_t>(++seen_count_);
  if (seen_count_ * 2 > table_.size()) grow_table();
  return true;
}

void LinearizabilitySearch::grow_table() {
  const std::size_t stride = done_.size() + 1;
  table_.assign(table_.size() * 4, 0);
  for (std::size_t each = 0; each < seen_count_; ++each)
    table_[slot_of(&seen_[each * stride])] = static_cast<std::uint32_t>(each + 1);
}

}  // namespace armazem::checker
