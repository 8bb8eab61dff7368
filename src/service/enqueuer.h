// Writes by way of the queue: many requests share one message, and each learns what became of its own mutation.
//
// No artificial delay: up to `messages_in_flight_max` messages of a partition are on their way to the broker, and what
// arrives meanwhile gathers for the next. An idle partition sends a single mutation at once.
//
// A mutation passes these states: gathering, in a message on its way, confirmed (a quorum of the queue's nodes has it),
// decided (a worker's reply came). A reply may overtake the confirm. Replies find their waiter by the version that was
// sent; one that finds nobody is dropped. Two writes may have one version: requests with one Idempotency-Key that were
// both overtaken are stamped again alike. Only one of them is sent at a time.
//
// A message counts as on its way until its replies have come (`replies_awaited` at most), not only until its confirm: the
// slower the workers, the more writes share a message, and a message costs the broker far more than the writes in it.
//
// A queue that does not answer must not hold up every write: while a partition's oldest message has waited longer than
// `silence_after`, or the last one failed and no newer one has been confirmed, new mutations are turned away at once
// (one in a while is let through to look), and their writer applies them directly.
//
// A worker that hangs keeps the messages it was given until the broker misses its heartbeats. Writes in a message that later
// ones have overtaken for `overtaken_after` are not kept waiting for it: their writer applies them directly.
//
// Thread rule: `submit`, `expire`, `figures` and the ReplySink's methods from any thread.
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/limits.h"
#include "core/mutex.h"
#include "core/task.h"
#include "core/time_source.h"
#include "ports/queue.h"
#include "service/waiters.h"

namespace armazem {

struct EnqueuerOptions {
  std::size_t message_mutations_max = limits::message_mutations_max;
  std::size_t message_bytes_max = limits::message_bytes_max;
  std::size_t messages_in_flight_max = limits::messages_in_flight_max;
  std::size_t pending_mutations_max = limits::pending_mutations_max;  // gathering, over all partitions
  std::size_t pending_bytes_max = limits::pending_bytes_max;
  std::chrono::milliseconds confirm_timeout{2'000};
  std::chrono::milliseconds silence_after{300};  // a message unconfirmed for so long makes its partition suspect
  std::chrono::milliseconds probe_interval{500};  // how often a suspect partition is tried
  // No reply for so long, although confirmed mutations wait: workers are away, and until the next reply nobody is kept
  // waiting for them unless the client asked for it.
  std::chrono::milliseconds workers_silent_after{1'000};
  // A confirmed message without replies, while a later one of its queue has been decided: its worker hangs.
  std::chrono::milliseconds overtaken_after{500};
  // How long after its confirm a message whose replies have not come still keeps the next one back; looked at when
  // `expire` is called. 0: not at all.
  std::chrono::milliseconds replies_awaited{0};
};

// What is known of a mutation that was given to the queue.
struct QueuedWrite {
  enum class Fate : std::uint8_t {
    decided,  // `outcome` says how
    confirmed,  // durable in the queue, not decided in time
    reply_lost,  // durable in the queue, and no reply will come: whoever wants to know applies it directly
    maybe,  // it may be in the queue or not; or a write with the same version is on its way there
    not_queued,  // certainly not in the queue
  };
  Fate fate = Fate::not_queued;
  Outcome outcome;
};

class Enqueuer final : public ReplySink {
 public:
  struct Patience {
    MonotonicTime wait_until;  // how long to wait for the decision once confirmed; the past: not at all
    bool asked_for = false;  // the client named the time: wait even if workers are silent
  };

  // `executor` runs the loops that publish; all must outlive the enqueuer.
  Enqueuer(QueuePublisher& publisher, Executor& executor, const TimeSource& time, EnqueuerOptions options = {});
  Enqueuer(const Enqueuer&) = delete;
  Enqueuer& operator=(const Enqueuer&) = delete;
  // Closes if that has not been done.
  ~Enqueuer() override;

  // Conditional mutations never come here: a redelivered create-only write could succeed after its 412 was sent.
  // `mutation` must stay alive and unchanged until the task has ended.
  Task<QueuedWrite> submit(const Mutation& mutation, Patience patience);

  // Gives up on behalf of waiters whose patience has ended, or whose partition is silent. To be called a few times per second.
  void expire(MonotonicTime now);

  void on_replies(std::span<const Reply> replies) override;
  void on_replies_lost() override;

  // Refuses new mutations, lets what is on its way to the broker end, ends what waits for a reply as confirmed, and returns
  // when nothing is left. Not on the executor.
  void close();

  struct Figures {
    std::uint64_t messages = 0;
    std::uint64_t mutations = 0;
    std::uint64_t unconfirmed = 0;  // messages that ended as maybe or not queued
    std::uint64_t turned_away = 0;  // mutations that were not tried: closing, full, or the partition is suspect
    std::uint64_t replies = 0;
    std::uint64_t replies_unclaimed = 0;
    std::uint64_t overtaken = 0;  // writes that were not kept waiting for a worker that hangs
    std::size_t gathering = 0;
    std::size_t waiting_for_reply = 0;
  };
  [[nodiscard]] Figures figures() const;

 private:
  struct Waiter;
  struct Submit;
  struct Idle;
  struct VersionHash {
    std::size_t operator()(const Version& version) const noexcept {
      return static_cast<std::size_t>(version.op().bits() ^ version.tick().bits());
    }
  };
  // A message on its way.
  struct Flight {
    std::uint64_t number = 0;
    MonotonicTime begun;
    bool confirmed = false;
    MonotonicTime confirmed_at;
    std::size_t undecided = 0;       // of its waiters
    std::coroutine_handle<> sender;  // waits for the replies
  };
  struct RepliesAwaited;
  struct Partition {
    std::vector<Waiter*> gathering;
    std::vector<std::coroutine_handle<>> idle;  // senders without work
    std::vector<Flight> flights;
    std::uint64_t newest_decided = 0;  // number of the latest message that a reply came for
    bool failed = false;  // the last message that ended was not confirmed
    MonotonicTime next_probe = MonotonicTime::min();  // of a suspect partition
  };
  struct Message {
    std::uint64_t number = 0;  // tells its waiters from those of a twin
    MonotonicTime begun;
    std::vector<Mutation> mutations;
  };
  using Done = std::vector<Waiter*>;

  Task<void> send_loop(std::size_t partition);
  [[nodiscard]] Message take_message(Partition& partition) REQUIRES(mutex_);
  [[nodiscard]] bool turn_away(Partition& partition, std::size_t bytes, MonotonicTime now) REQUIRES(mutex_);
  void finish_message(Partition& partition, const Message& message, const Result<void>& sent);
  void confirm(Waiter& waiter, MonotonicTime now, Done& done) REQUIRES(mutex_);
  [[nodiscard]] bool workers_silent(MonotonicTime now) noexcept REQUIRES(mutex_);
  [[nodiscard]] bool is_silent(const Partition& partition, MonotonicTime now) const noexcept REQUIRES(mutex_);
  void turn_gathering_away(Partition& partition, Done& done) REQUIRES(mutex_);
  void stop_gathering(Waiter& waiter) REQUIRES(mutex_);
  void leave_confirmed(QueuedWrite::Fate fate, Done& done) REQUIRES(mutex_);
  void leave(Waiter& waiter, QueuedWrite::Fate fate, Done& done) REQUIRES(mutex_);
  void go_on(Flight& flight) REQUIRES(mutex_);  // its sender need not wait any longer

  QueuePublisher& publisher_;
  Executor& executor_;
  const TimeSource& time_;
  const EnqueuerOptions options_;

  mutable Mutex mutex_;
  std::vector<Partition> partitions_;  // their number never changes; what is in them is guarded by mutex_
  std::unordered_map<Version, Waiter*, VersionHash> waiting_ GUARDED_BY(mutex_);  // every waiter from submit to its end
  std::size_t gathering_ GUARDED_BY(mutex_) = 0;
  std::size_t gathering_bytes_ GUARDED_BY(mutex_) = 0;
  std::size_t confirmed_ GUARDED_BY(mutex_) = 0;  // waiters whose message is confirmed
  MonotonicTime replied_ GUARDED_BY(mutex_) = MonotonicTime::min();  // the last reply, or the first confirm of a busy period
  bool workers_silent_ GUARDED_BY(mutex_) = false;
  bool closing_ GUARDED_BY(mutex_) = false;
  std::size_t senders_ GUARDED_BY(mutex_) = 0;
  Figures figures_ GUARDED_BY(mutex_);
  ConditionVariable ended_;
};

}  // namespace armazem
