// The book of what is to be published and what has been: who waits for which confirm. It knows no broker and no socket.
//
// A message is first `queued` (certainly not at the broker) and then `sent` under the next delivery tag (perhaps
// there). Every waiter is told exactly once:
//   confirmed                                -> success
//   returned as unroutable, still queued when the link is lost or blocked -> unavailable: certainly not there
//   still queued at its deadline             -> deadline_exceeded: certainly not there
//   sent, and nacked, or link or deadline lost -> outcome_unknown
// A sent message whose waiter gave up still counts against the window until its confirm comes or the link is lost.
//
// Thread rule: any thread; `begin_send` and what it gives belong to the thread that sends.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "adapters/rabbitmq/figures.h"
#include "adapters/rabbitmq/rabbitmq_queue.h"
#include "adapters/rabbitmq/wakeup.h"
#include "adapters/suspended.h"
#include "core/deadline.h"
#include "core/mutex.h"
#include "core/result.h"

namespace armazem::rabbit {

struct Outgoing {
  std::string queue;  // routing key on the default exchange
  std::string body;
  bool wants_replies = false;
  // Of a dead letter; empty: none.
  std::string reason;
  std::string detail;
  std::uint64_t time_ms = 0;
};

// Must stay where it is until it was told. Either a suspended coroutine, or `on_done` (called without locks).
struct PublishWaiter {
  Suspended suspended;
  void (*on_done)(PublishWaiter&) = nullptr;
  Result<void> result;
};

class Ledger {
 public:
  // `wakeup` is signalled when there is something to send.
  Ledger(const RabbitmqOptions& options, Counters& counters, Wakeup& wakeup);

  // Queues a message, or says why not: unavailable, overloaded, deadline_exceeded; the waiter is then not kept.
  Result<void> submit(Outgoing message, PublishWaiter& waiter, Deadline deadline);
  // Without confirm and waiter. False: dropped.
  bool submit_unconfirmed(Outgoing message);

  // The link: only while it is up, and not blocked, messages are taken.
  void link_up();
  void link_down(const std::string& why);
  void set_blocked(bool blocked, const std::string& why);
  // No more messages are taken; those that are here may still be confirmed.
  void close();

  struct Sending {
    const Outgoing& message;
    std::uint64_t tag;
  };
  // Moves the first queued message to the sent ones; its waiter may be told 'unknown' from now on.
  [[nodiscard]] std::optional<Sending> begin_send();
  [[nodiscard]] std::optional<Outgoing> next_unconfirmed();
  [[nodiscard]] bool has_work() const;
  // Nothing is queued and no confirm expected.
  [[nodiscard]] bool idle() const;
  // When the message was sent whose confirm is overdue the longest.
  [[nodiscard]] std::optional<MonotonicTime> oldest_sent() const;

  // False: no such message was sent.
  bool settle(std::uint64_t tag, bool multiple, bool confirmed);
  void returned(std::uint64_t tag, const std::string& why);
  void expire(MonotonicTime now);

 private:
  struct Entry {
    Outgoing message;
    PublishWaiter* waiter;  // null once it was told
    Deadline deadline;
    std::size_t bytes;
    MonotonicTime sent_at;
    bool settled = false;
  };
  using Told = std::vector<PublishWaiter*>;

  [[nodiscard]] std::optional<Error> refusal(std::size_t bytes, Deadline deadline) const REQUIRES(mutex_);
  static void tell(Entry& entry, Result<void> result, Told& told);
  void drop_queued(const Error& why, Told& told) REQUIRES(mutex_);
  Entry* sent_entry(std::uint64_t tag) REQUIRES(mutex_);
  void settle_one(Entry& entry, bool confirmed, MonotonicTime now, Told& told) REQUIRES(mutex_);

  static void wake(const Told& told);

  const RabbitmqOptions options_;
  Counters& counters_;
  Wakeup& wakeup_;

  mutable Mutex mutex_;
  std::deque<Entry> queued_ GUARDED_BY(mutex_);
  std::deque<Entry> sent_ GUARDED_BY(mutex_);  // tags first_tag_, first_tag_ + 1, …; the first is not settled
  std::uint64_t first_tag_ GUARDED_BY(mutex_) = 1;
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;  // of queued_ and of sent_ that is not settled
  std::deque<Outgoing> unconfirmed_ GUARDED_BY(mutex_);
  std::size_t unconfirmed_bytes_ GUARDED_BY(mutex_) = 0;
  bool up_ GUARDED_BY(mutex_) = false;
  bool blocked_ GUARDED_BY(mutex_) = false;
  bool closed_ GUARDED_BY(mutex_) = false;
  std::string why_not_ GUARDED_BY(mutex_) = "not connected yet";
};

}  // namespace armazem::rabbit
