// A wrapper around any Store that fails, holds or half-answers calls on command (after LevelDB's EnvWrapper): for tests
// of what stands above the port, and for the simulation.
//
// Thread rule: calls and commands from any thread. A held call resumes on its caller's executor.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>
#include <vector>

#include "core/assert.h"
#include "core/mutex.h"
#include "ports/store.h"

namespace armazem {

class FaultyStore final : public Store {
 public:
  // `inner` must outlive the wrapper.
  explicit FaultyStore(Store& inner) : inner_(inner) {}
  ~FaultyStore() override;

  // The next `calls` calls (health included: its detail is the message) end with `error` and do not reach the store.
  void fail_next(std::size_t calls, Error error);
  // The next `calls` applies reach the store, and then are answered outcome_unknown.
  void lose_answers(std::size_t calls);
  // From now on calls wait, before they reach the store, until `release`. Their deadlines go on.
  void hold();
  void release();
  [[nodiscard]] std::size_t held() const;
  // Calls made so far, whatever became of them.
  [[nodiscard]] std::size_t calls() const;

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                           Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<StoreHealth> health(Deadline deadline) override;

 private:
  using Waiter = std::pair<Executor*, std::coroutine_handle<>>;

  // co_await pass(): waits while calls are held, then says whether this one is to fail.
  struct Pass {
    FaultyStore& store;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> call) const {
      return store.wait_if_held({&call.promise().executor(), call});
    }
    std::optional<Error> await_resume() const { return store.next_failure(); }
  };
  Pass pass() noexcept { return {*this}; }

  bool wait_if_held(Waiter waiter);
  std::optional<Error> next_failure();
  bool loses_answer();

  Store& inner_;
  mutable Mutex mutex_;
  std::size_t calls_ GUARDED_BY(mutex_) = 0;
  std::size_t failures_left_ GUARDED_BY(mutex_) = 0;
  Error failure_ GUARDED_BY(mutex_);
  std::size_t lost_answers_left_ GUARDED_BY(mutex_) = 0;
  bool holding_ GUARDED_BY(mutex_) = false;
  std::vector<Waiter> waiters_ GUARDED_BY(mutex_);
};

}  // namespace armazem
