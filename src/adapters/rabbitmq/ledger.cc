#include "adapters/rabbitmq/ledger.h"

#include <utility>

#include "core/assert.h"

namespace armazem::rabbit {

Ledger::Ledger(const RabbitmqOptions& options, Counters& counters, Wakeup& wakeup)
    : options_(options), counters_(counters), wakeup_(wakeup) {}

std::optional<Error> Ledger::refusal(std::size_t bytes, Deadline deadline) const {
  if (closed_) return Error{ErrorCode::unavailable, "the queue is closing"};
  if (deadline.expired(MonotonicClock::now())) return Error{ErrorCode::deadline_exceeded, "too late to publish"};
  if (!up_) return Error{ErrorCode::unavailable, "the queue is not connected: " + why_not_};
  if (blocked_) return Error{ErrorCode::unavailable, "the queue takes no messages: " + why_not_};
  const std::size_t messages = queued_.size() + sent_.size();
  const bool full = messages >= options_.unconfirmed_messages_max ||
                    (messages > 0 && bytes_ + bytes > options_.unconfirmed_bytes_max);
  if (full) return Error{ErrorCode::overloaded, "too many messages wait for their confirm"};
  return std::nullopt;
}

Result<void> Ledger::submit(Outgoing message, PublishWaiter& waiter, Deadline deadline) {
  bool first = false;
  {
    const MutexLock lock(mutex_);
    const std::size_t bytes = message.body.size();
    if (auto refused = refusal(bytes, deadline)) {
      counters_.refused.add();
      return fail(std::move(*refused));
    }
    first = queued_.empty();
    queued_.push_back({std::move(message), &waiter, deadline, bytes, {}, false});
    bytes_ += bytes;
  }
  if (first) wakeup_.signal();
  return {};
}

bool Ledger::submit_unconfirmed(Outgoing message) {
  {
    const MutexLock lock(mutex_);
    const bool full = unconfirmed_.size() >= options_.unconfirmed_messages_max ||
                      unconfirmed_bytes_ + message.body.size() > options_.unconfirmed_bytes_max;
    if (closed_ || !up_ || blocked_ || full) return false;
    unconfirmed_bytes_ += message.body.size();
    unconfirmed_.push_back(std::move(message));
    if (unconfirmed_.size() > 1) return true;  // the sender was woken by the first
  }
  wakeup_.signal();
  return true;
}

void Ledger::link_up() {
  const MutexLock lock(mutex_);
  ARMAZEM_ASSERT(sent_.empty());
  first_tag_ = 1;  // tags count from 1 on every channel
  up_ = true;
  blocked_ = false;
}

void Ledger::link_down(const std::string& why) {
  Told told;
  {
    const MutexLock lock(mutex_);
    up_ = false;
    why_not_ = why;
    for (Entry& entry : sent_) {
      if (entry.settled) continue;
      counters_.unknown.add();
      tell(entry, fail(ErrorCode::outcome_unknown, "no confirm: " + why), told);
    }
    sent_.clear();
    drop_queued({ErrorCode::unavailable, "the queue is not connected: " + why}, told);
    bytes_ = 0;
  }
  wake(told);
}

void Ledger::set_blocked(bool blocked, const std::string& why) {
  Told told;
  {
    const MutexLock lock(mutex_);
    if (blocked == blocked_) return;
    blocked_ = blocked;
    if (blocked) {
      counters_.blocked.add();
      why_not_ = why;
      drop_queued({ErrorCode::unavailable, "the queue takes no messages: " + why}, told);
    }
  }
  wake(told);
}

void Ledger::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
}

std::optional<Ledger::Sending> Ledger::begin_send() {
  const MutexLock lock(mutex_);
  while (!queued_.empty() && queued_.front().waiter == nullptr) {  // told already that it was too late
    bytes_ -= queued_.front().bytes;
    queued_.pop_front();
  }
  if (queued_.empty()) return std::nullopt;
  sent_.push_back(std::move(queued_.front()));
  queued_.pop_front();
  sent_.back().sent_at = MonotonicClock::now();
  counters_.published.add();
  return Sending{sent_.back().message, first_tag_ + sent_.size() - 1};
}

std::optional<Outgoing> Ledger::next_unconfirmed() {
  const MutexLock lock(mutex_);
  if (unconfirmed_.empty()) return std::nullopt;
  std::optional<Outgoing> next(std::move(unconfirmed_.front()));
  unconfirmed_.pop_front();
  unconfirmed_bytes_ -= next->body.size();
  return next;
}

bool Ledger::has_work() const {
  const MutexLock lock(mutex_);
  return !queued_.empty() || !unconfirmed_.empty();
}

bool Ledger::idle() const {
  const MutexLock lock(mutex_);
  return queued_.empty() && sent_.empty() && unconfirmed_.empty();
}

std::optional<MonotonicTime> Ledger::oldest_sent() const {
  const MutexLock lock(mutex_);
  return sent_.empty() ? std::nullopt : std::optional(sent_.front().sent_at);
}

Ledger::Entry* Ledger::sent_entry(std::uint64_t tag) {
  return tag >= first_tag_ && tag - first_tag_ < sent_.size() ? &sent_[tag - first_tag_] : nullptr;
}

void Ledger::settle_one(Entry& entry, bool confirmed, MonotonicTime now, Told& told) {
  if (entry.settled) return;
  entry.settled = true;
  bytes_ -= entry.bytes;
  if (confirmed) {
    counters_.confirmed.add();
    counters_.add_confirm(now - entry.sent_at);
    tell(entry, {}, told);
  } else {
    counters_.nacked.add();
    tell(entry, fail(ErrorCode::outcome_unknown, "the broker could not take responsibility for the message"), told);
  }
}

bool Ledger::settle(std::uint64_t tag, bool multiple, bool confirmed) {
  Told told;
  {
    const MutexLock lock(mutex_);
    const MonotonicTime now = MonotonicClock::now();
    if (multiple && tag == 0) tag = first_tag_ + sent_.size() - 1;  // all so far (AMQP 0-9-1, basic.ack)
    if (tag < first_tag_) return true;                              // settled one by one before
    if (sent_entry(tag) == nullptr) return false;
    for (std::uint64_t one = multiple ? first_tag_ : tag; one <= tag; ++one) {
      settle_one(*sent_entry(one), confirmed, now, told);
    }
    while (!sent_.empty() && sent_.front().settled) {
      sent_.pop_front();
      ++first_tag_;
    }
  }
  wake(told);
  return true;
}

void Ledger::returned(std::uint64_t tag, const std::string& why) {
  Told told;
  {
    const MutexLock lock(mutex_);
    Entry* const entry = sent_entry(tag);
    if (entry == nullptr) return;
    counters_.returned.add();
    // Its confirm follows, and then finds nobody to tell.
    const std::string text = "queue " + entry->message.queue + " does not exist (" + why + "); run `armazem migrate`";
    tell(*entry, fail(ErrorCode::unavailable, text), told);
  }
  wake(told);
}

void Ledger::expire(MonotonicTime now) {
  Told told;
  {
    const MutexLock lock(mutex_);
    for (Entry& entry : queued_) {
      if (!entry.deadline.expired(now)) continue;
      tell(entry, fail(ErrorCode::deadline_exceeded, "the message was not sent before its deadline"), told);
    }
    for (Entry& entry : sent_) {
      if (entry.waiter == nullptr || !entry.deadline.expired(now)) continue;
      counters_.unknown.add();
      tell(entry, fail(ErrorCode::outcome_unknown, "no confirm before the deadline"), told);
    }
  }
  wake(told);
}

void Ledger::tell(Entry& entry, Result<void> result, Told& told) {
  if (entry.waiter == nullptr) return;
  entry.waiter->result = std::move(result);
  told.push_back(std::exchange(entry.waiter, nullptr));
}

void Ledger::drop_queued(const Error& why, Told& told) {
  for (Entry& entry : queued_) {
    bytes_ -= entry.bytes;
    tell(entry, fail(why), told);
  }
  queued_.clear();
  counters_.replies_dropped.add(unconfirmed_.size());
  unconfirmed_.clear();
  unconfirmed_bytes_ = 0;
}

void Ledger::wake(const Told& told) {
  std::vector<Suspended> suspended;
  for (PublishWaiter* waiter : told) {
    if (waiter->on_done != nullptr) {
      waiter->on_done(*waiter);
    } else {
      suspended.push_back(waiter->suspended);
    }
  }
  resume_all(std::move(suspended));
}

}  // namespace armazem::rabbit
