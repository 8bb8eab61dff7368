#include "adapters/memory/faulty_store.h"

namespace armazem {

FaultyStore::~FaultyStore() { ARMAZEM_ASSERT(waiters_.empty()); }

void FaultyStore::fail_next(std::size_t calls, Error error) {
  const MutexLock lock(mutex_);
  failures_left_ = calls;
  failure_ = std::move(error);
}

void FaultyStore::lose_answers(std::size_t calls) {
  const MutexLock lock(mutex_);
  lost_answers_left_ = calls;
}

void FaultyStore::hold() {
  const MutexLock lock(mutex_);
  holding_ = true;
}

void FaultyStore::release() {
  std::vector<Waiter> released;
  {
    const MutexLock lock(mutex_);
    holding_ = false;
    released.swap(waiters_);
  }
  for (const auto& [executor, call] : released) executor->post(call);
}

std::size_t FaultyStore::held() const {
  const MutexLock lock(mutex_);
  return waiters_.size();
}

std::size_t FaultyStore::calls() const {
  const MutexLock lock(mutex_);
  return calls_;
}

bool FaultyStore::wait_if_held(Waiter waiter) {
  const MutexLock lock(mutex_);
  ++calls_;
  if (holding_) waiters_.push_back(waiter);
  return holding_;
}

std::optional<Error> FaultyStore::next_failure() {
  const MutexLock lock(mutex_);
  if (failures_left_ == 0) return std::nullopt;
  --failures_left_;
  return failure_;
}

bool FaultyStore::loses_answer() {
  const MutexLock lock(mutex_);
  if (lost_answers_left_ == 0) return false;
  --lost_answers_left_;
  return true;
}

Task<Result<std::optional<Record>>> FaultyStore::get(const Key& key, Deadline deadline) {
  if (auto error = co_await pass()) co_return fail(std::move(*error));
  co_return co_await inner_.get(key, deadline);
}

Task<Result<std::vector<Outcome>>> FaultyStore::apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                      Deadline deadline) {
  if (auto error = co_await pass()) co_return fail(std::move(*error));
  auto outcomes = co_await inner_.apply(std::move(mutations), guard, deadline);
  // Only after the store was asked, so that the change is there although nobody was told.
  if (loses_answer()) co_return fail(ErrorCode::outcome_unknown, "the answer was lost");
  co_return outcomes;
}

Task<Result<ScanPage>> FaultyStore::scan(ScanRequest request, Deadline deadline) {
  if (auto error = co_await pass()) co_return fail(std::move(*error));
  co_return co_await inner_.scan(std::move(request), deadline);
}

Task<Result<PurgeReport>> FaultyStore::purge(PurgeRequest request, Deadline deadline) {
  if (auto error = co_await pass()) co_return fail(std::move(*error));
  co_return co_await inner_.purge(request, deadline);
}

Task<StoreHealth> FaultyStore::health(Deadline deadline) {
  if (auto error = co_await pass()) co_return StoreHealth{false, error->message};
  co_return co_await inner_.health(deadline);
}

}  // namespace armazem
