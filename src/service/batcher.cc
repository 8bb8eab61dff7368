#include "service/batcher.h"

#include <utility>

#include "core/assert.h"
#include "core/task_scope.h"
#include "service/waiters.h"

namespace armazem {

struct Batcher::Waiter : WaitingCoroutine {
  Deadline deadline = Deadline::none();
  Result<Outcome> result = fail(ErrorCode::internal, "the write was not answered");
};

struct Batcher::Enqueue {
  Batcher& into;
  Mutation& mutation;
  Waiter& waiter;

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    waiter.executor = &handle.promise().executor();
    waiter.handle = handle;
    Batcher& batcher = into;  // this awaiter may be gone as soon as the lock is free: another thread may answer it
    std::coroutine_handle<> wake;
    {
      const MutexLock lock(batcher.mutex_);
      const std::size_t bytes = mutation.size_bytes();
      if (batcher.refuse(waiter, bytes)) return false;
      batcher.pending_.push_back({std::move(mutation), &waiter});
      batcher.pending_bytes_ += bytes;
      wake = std::exchange(batcher.idle_, {});
    }
    if (wake) batcher.executor_.post(wake);
    return true;
  }
  void await_resume() const noexcept {}
};

// Suspends the loop until there is something to send or the batcher closes.
struct Batcher::Idle {
  Batcher& batcher;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) const {
    const MutexLock lock(batcher.mutex_);
    if (!batcher.pending_.empty() || batcher.closing_) return false;
    batcher.idle_ = self;
    return true;
  }
  void await_resume() const noexcept {}
};

Batcher::Batcher(Applier& applier, Executor& executor, const TimeSource& time, BatcherOptions options)
    : applier_(applier), executor_(executor), time_(time), options_(options) {
  start_root(executor_, run());
}

Batcher::~Batcher() { close(); }

Task<Result<Outcome>> Batcher::submit(Mutation mutation, Deadline deadline) {
  Waiter waiter;
  waiter.deadline = deadline;
  Enqueue enqueue{*this, mutation, waiter};
  co_await enqueue;
  co_return std::move(waiter.result);
}

bool Batcher::refuse(Waiter& waiter, std::size_t bytes) {
  if (closing_) {
    waiter.result = fail(ErrorCode::unavailable, "the server is shutting down");
  } else if (pending_.size() >= options_.pending_mutations_max || pending_bytes_ + bytes > options_.pending_bytes_max) {
    waiter.result = fail(ErrorCode::overloaded, "too many writes are waiting for the store");
  } else {
    return false;
  }
  ++figures_.refused;
  return true;
}

Task<void> Batcher::run() {
  co_await resume_on(executor_);
  while (true) {
    Idle idle{*this};
    co_await idle;
    const MonotonicTime now = time_.now();
    std::vector<Mutation> batch = take_batch(now);
    if (!batch.empty()) {
      const Deadline deadline = Deadline::after(now, options_.store_timeout);
      // No purge horizon: stamps are made just before they come here, none is ever older than the retention; but for those
      // of a restore, which is meant to bring back what was forgotten.
      Result<std::vector<Outcome>> result = co_await applier_.apply(std::move(batch), ApplyGuard{}, deadline);
      complete_batch(std::move(result));
    }
    const MutexLock lock(mutex_);
    if (closing_ && pending_.empty()) break;
  }
  const MutexLock lock(mutex_);
  ended_ = true;
  ended_signal_.notify_all();
}

std::vector<Mutation> Batcher::take_batch(MonotonicTime now) {
  std::vector<Mutation> batch;
  std::vector<Waiter*> late;
  {
    const MutexLock lock(mutex_);
    ARMAZEM_ASSERT(in_flight_.empty());
    std::size_t taken = 0;
    std::size_t bytes = 0;
    for (Entry& entry : pending_) {
      const std::size_t size = entry.mutation.size_bytes();
      if (batch.size() == options_.batch_mutations_max) break;
      if (!batch.empty() && bytes + size > options_.batch_bytes_max) break;
      ++taken;
      pending_bytes_ -= size;
      if (entry.waiter == nullptr) continue;
      if (entry.waiter->deadline.expired(now)) {
        entry.waiter->result = fail(ErrorCode::deadline_exceeded, "the write waited too long for its turn");
        late.push_back(entry.waiter);
        continue;
      }
      bytes += size;
      batch.push_back(std::move(entry.mutation));
      in_flight_.push_back(entry.waiter);
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    figures_.batches += batch.empty() ? 0 : 1;
    figures_.mutations += batch.size();
  }
  resume_all(late);
  return batch;
}

void Batcher::complete_batch(Result<std::vector<Outcome>> result) {
  std::vector<Waiter*> done;
  {
    const MutexLock lock(mutex_);
    done.swap(in_flight_);
  }
  ARMAZEM_ASSERT(!result || result->size() == done.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    if (done[i] == nullptr) continue;
    if (result) {
      done[i]->result = (*result)[i];
    } else {
      done[i]->result = fail(result.error());
    }
  }
  std::erase(done, nullptr);
  resume_all(done);
}

void Batcher::expire(MonotonicTime now) {
  std::vector<Waiter*> late;
  {
    const MutexLock lock(mutex_);
    for (Entry& entry : pending_) {
      if (entry.waiter == nullptr || !entry.waiter->deadline.expired(now)) continue;
      entry.waiter->result = fail(ErrorCode::deadline_exceeded, "the write waited too long for its turn");
      late.push_back(std::exchange(entry.waiter, nullptr));
    }
    for (Waiter*& waiter : in_flight_) {
      if (waiter == nullptr || !waiter->deadline.expired(now)) continue;
      waiter->result = fail(ErrorCode::outcome_unknown, "the store did not answer in time; the write may still happen");
      late.push_back(std::exchange(waiter, nullptr));
    }
  }
  resume_all(late);
}

void Batcher::close() {
  const MutexLock lock(mutex_);
  closing_ = true;
  if (const std::coroutine_handle<> wake = std::exchange(idle_, {})) executor_.post(wake);
  while (!ended_) ended_signal_.wait(mutex_);
}

Batcher::Figures Batcher::figures() const {
  const MutexLock lock(mutex_);
  Figures figures = figures_;
  figures.pending = pending_.size();
  return figures;
}

}  // namespace armazem
