#include "adapters/rabbitmq/inbox.h"

#include <algorithm>
#include <utility>

#include "core/assert.h"

namespace armazem::rabbit {

// Lives in the frame of the coroutine that takes.
struct Inbox::Waiter {
  Suspended suspended;
  std::size_t mutations_max;
  std::size_t bytes_max;
  Deadline deadline;
  std::vector<Delivery> taken;
};

struct Inbox::Wait {
  Inbox& inbox;
  Waiter& waiter;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    waiter.suspended = {&handle.promise().executor(), handle};
    return inbox.wait(waiter);
  }
  void await_resume() const noexcept {}
};

Task<std::vector<Delivery>> Inbox::take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) {
  Waiter waiter{{}, mutations_max, bytes_max, deadline, {}};
  Wait wait{*this, waiter};
  co_await wait;
  co_return std::move(waiter.taken);
}

bool Inbox::wait(Waiter& waiter) {
  const MutexLock lock(mutex_);
  if (closed_) return false;
  fill(waiter);
  if (!waiter.taken.empty() || waiter.deadline.expired(MonotonicClock::now())) return false;
  waiting_.push_back(&waiter);
  return true;
}

void Inbox::fill(Waiter& waiter) {
  std::size_t mutations = 0;
  std::size_t bytes = 0;
  while (!ready_.empty()) {
    Arrival& next = ready_.front();
    mutations += next.delivery.mutations.size();
    bytes += next.bytes;
    if (!waiter.taken.empty() && (mutations > waiter.mutations_max || bytes > waiter.bytes_max)) return;
    waiter.taken.push_back(std::move(next.delivery));
    ready_.pop_front();
  }
}

void Inbox::hand_out(std::vector<Suspended>& resumed) {
  while (!ready_.empty() && !waiting_.empty()) {
    fill(*waiting_.front());
    resumed.push_back(waiting_.front()->suspended);
    waiting_.erase(waiting_.begin());
  }
}

std::uint64_t Inbox::begin() {
  const MutexLock lock(mutex_);
  base_ = last_id_;
  // A release that came in while subscribing stands: the orders say so, and nothing is delivered.
  subscribed_ = !unsubscribe_;
  return ++subscription_;
}

void Inbox::forget_subscription() {
  ready_.clear();
  subscribed_ = false;
  base_ = last_id_;
}

void Inbox::end() {
  const MutexLock lock(mutex_);
  forget_subscription();
  acknowledged_.clear();
  given_back_.clear();
  unsubscribe_ = false;
}

std::optional<std::uint64_t> Inbox::arrived(std::uint64_t subscription, std::vector<Arrival> arrivals) {
  std::vector<Suspended> resumed;
  std::uint64_t base = 0;
  {
    const MutexLock lock(mutex_);
    if (subscription != subscription_ || !subscribed_) return std::nullopt;
    base = base_;
    for (Arrival& arrival : arrivals) {
      arrival.delivery.id = base_ + arrival.tag;
      last_id_ = std::max(last_id_, arrival.delivery.id);
      if (arrival.delivery.mutations.empty()) continue;
      if (closed_) {
        given_back_.push_back(arrival.tag);
      } else {
        ready_.push_back(std::move(arrival));
      }
    }
    hand_out(resumed);
  }
  resume_all(std::move(resumed));
  return base;
}

Orders Inbox::take_orders() {
  const MutexLock lock(mutex_);
  return {std::exchange(acknowledged_, {}), std::exchange(given_back_, {}), unsubscribe_, closed_,
          !released_ && !closed_};
}

bool Inbox::acknowledge(std::span<const std::uint64_t> ids) {
  const MutexLock lock(mutex_);
  if (!subscribed_) return false;
  const bool first = acknowledged_.empty();
  for (const std::uint64_t id : ids) {
    if (id > base_ && id <= last_id_) acknowledged_.push_back(id - base_);
  }
  return first && !acknowledged_.empty();
}

void Inbox::release() {
  const MutexLock lock(mutex_);
  released_ = true;
  unsubscribe_ = true;
  forget_subscription();
}

void Inbox::resume() {
  const MutexLock lock(mutex_);
  released_ = false;
}

void Inbox::close() {
  std::vector<Suspended> ended;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    for (const Arrival& arrival : ready_) given_back_.push_back(arrival.tag);
    ready_.clear();
    for (const Waiter* waiter : waiting_) ended.push_back(waiter->suspended);
    waiting_.clear();
  }
  resume_all(std::move(ended));
}

bool Inbox::closed() const {
  const MutexLock lock(mutex_);
  return closed_;
}

bool Inbox::released() const {
  const MutexLock lock(mutex_);
  return released_;
}

void Inbox::expire(MonotonicTime now) {
  std::vector<Suspended> ended;
  {
    const MutexLock lock(mutex_);
    std::erase_if(waiting_, [&](const Waiter* waiter) {
      if (!waiter->deadline.expired(now)) return false;
      ended.push_back(waiter->suspended);
      return true;
    });
  }
  resume_all(std::move(ended));
}

}  // namespace armazem::rabbit
