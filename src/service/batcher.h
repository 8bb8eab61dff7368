// Group commit: writes of many requests share one store transaction.
//
// No artificial delay. While one batch is on its way to the store, the next one gathers; an idle batcher sends a single
// mutation at once. A batch is only an envelope: every mutation is decided and answered by itself.
//
// Thread rule: `submit`, `expire` and `figures` from any thread. The loop that feeds the store runs on the executor given
// at construction (for a blocking store: the store's own write thread, which saves a hand-over per batch).
//
// Order of effects: the applier has ended, so the change is durable and the cache knows it, before any waiter of its batch
// resumes.
#pragma once

#include <coroutine>
#include <cstdint>
#include <vector>

#include "core/limits.h"
#include "core/mutex.h"
#include "core/task.h"
#include "core/time_source.h"
#include "service/applier.h"

namespace armazem {

struct BatcherOptions {
  std::size_t batch_mutations_max = limits::batch_mutations_max;
  std::size_t batch_bytes_max = limits::batch_bytes_max;
  std::size_t pending_mutations_max = limits::pending_mutations_max;
  std::size_t pending_bytes_max = limits::pending_bytes_max;
  // How long one store call may take; a request's own deadline may be shorter and is honoured beside it.
  std::chrono::milliseconds store_timeout{10'000};
};

class Batcher {
 public:
  // `applier`, `executor` and `time` must outlive the batcher.
  Batcher(Applier& applier, Executor& executor, const TimeSource& time, BatcherOptions options);
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  // Closes if that has not been done.
  ~Batcher();

  // The outcome once it is durable. overloaded: too many mutations wait already. unavailable: closing. deadline_exceeded:
  // time ran out before the mutation was handed to the store. All three: certainly no effect. outcome_unknown: it was
  // handed over and its fate was not learnt in time.
  Task<Result<Outcome>> submit(Mutation mutation, Deadline deadline);

  // Gives up on behalf of waiters whose deadline has passed. To be called a few times per second.
  void expire(MonotonicTime now);

  // Refuses new mutations, lets the store finish what waits, and returns when nothing is left. Not on the executor.
  void close();

  struct Figures {
    std::uint64_t batches = 0;
    std::uint64_t mutations = 0;
    std::uint64_t refused = 0;
    std::size_t pending = 0;
  };
  [[nodiscard]] Figures figures() const;

 private:
  struct Waiter;
  struct Entry {
    Mutation mutation;
    Waiter* waiter;  // null once the waiter was told to give up
  };
  struct Enqueue;
  struct Idle;

  Task<void> run();
  [[nodiscard]] bool refuse(Waiter& waiter, std::size_t bytes) REQUIRES(mutex_);
  // Moves the next batch out of `pending_`; waiters of what it holds go to `in_flight_`.
  std::vector<Mutation> take_batch(MonotonicTime now);
  void complete_batch(Result<std::vector<Outcome>> result);

  Applier& applier_;
  Executor& executor_;
  const TimeSource& time_;
  const BatcherOptions options_;

  mutable Mutex mutex_;
  std::vector<Entry> pending_ GUARDED_BY(mutex_);
  std::size_t pending_bytes_ GUARDED_BY(mutex_) = 0;
  std::vector<Waiter*> in_flight_ GUARDED_BY(mutex_);  // same order as the batch in the store; null: gave up
  std::coroutine_handle<> idle_ GUARDED_BY(mutex_);  // the loop, when it has nothing to do
  bool closing_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;  // the loop touches nothing of ours after setting it
  Figures figures_ GUARDED_BY(mutex_);
  ConditionVariable ended_signal_;
};

}  // namespace armazem
