// Between the consumer's thread and its callers: what has arrived, who waits for it, and what is to be told to the
// broker.
//
// Delivery ids: a subscription has a base, and id = base + the broker's delivery tag. A new subscription begins above
// all ids that were given, so an acknowledgement of an older one is recognised, and does nothing.
//
// Thread rule: any thread; `begin`, `arrived`, `end` and `take_orders` belong to the consumer's.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "adapters/suspended.h"
#include "core/mutex.h"
#include "core/task.h"
#include "ports/queue.h"

namespace armazem::rabbit {

struct Arrival {
  std::uint64_t tag = 0;
  Delivery delivery;       // its id is given by the inbox; no mutations: undecodable, not for callers
  std::size_t bytes = 0;
};

// For the consumer's thread.
struct Orders {
  std::vector<std::uint64_t> acknowledge;  // tags of the current subscription
  std::vector<std::uint64_t> give_back;
  bool unsubscribe = false;  // after those
  bool stop_delivering = false;
  bool subscribe = false;    // somebody wants deliveries
};

class Inbox {
 public:
  // A subscription begins or ends. `arrived` of any other number is ignored.
  std::uint64_t begin();
  void end();
  // The base of their ids; nothing when the subscription is not the running one, and the arrivals are forgotten.
  std::optional<std::uint64_t> arrived(std::uint64_t subscription, std::vector<Arrival> arrivals);
  [[nodiscard]] Orders take_orders();

  Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline);
  // True: the consumer's thread should look at its orders.
  bool acknowledge(std::span<const std::uint64_t> ids);
  void release();
  void resume();
  void close();
  [[nodiscard]] bool closed() const;
  [[nodiscard]] bool released() const;
  void expire(MonotonicTime now);

 private:
  struct Waiter;
  struct Wait;
  bool wait(Waiter& waiter);
  void fill(Waiter& waiter) REQUIRES(mutex_);
  void hand_out(std::vector<Suspended>& resumed) REQUIRES(mutex_);
  void forget_subscription() REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<Arrival> ready_ GUARDED_BY(mutex_);
  std::vector<Waiter*> waiting_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> acknowledged_ GUARDED_BY(mutex_);
  std::vector<std::uint64_t> given_back_ GUARDED_BY(mutex_);
  std::uint64_t subscription_ GUARDED_BY(mutex_) = 0;
  bool subscribed_ GUARDED_BY(mutex_) = false;
  std::uint64_t base_ GUARDED_BY(mutex_) = 0;
  std::uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  bool unsubscribe_ GUARDED_BY(mutex_) = false;
  bool released_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace armazem::rabbit
