#include "adapters/postgres/writer.h"

#include "adapters/postgres/failure.h"

namespace armazem::pg {
namespace {

// With a deadline far away. Pauses grow to `pause_max`, so this is some ten seconds of conflicts.
constexpr int attempts_max = 100;
constexpr std::chrono::microseconds pause_min{1000};
constexpr std::chrono::microseconds pause_max{200'000};

class BatchWriter {
 public:
  BatchWriter(LoopPool& pool, Counters& counters, std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline)
      : pool_(pool),
        counters_(counters),
        mutations_(std::move(mutations)),
        order_(batch_order(mutations_)),
        outcomes_(mutations_.size()),
        guard_(guard),
        deadline_(deadline) {}

  Task<Result<std::vector<Outcome>>> run();

 private:
  using Part = std::span<const std::uint32_t>;
  enum class Next : std::uint8_t { done, again, halve, give_up };

  // Decides one part, or says that it must be halved, or why it cannot be.
  Task<Next> write(Part part);
  Task<Attempt> attempt(Part part);
  Next judge(Attempt& attempt, Part part);
  Next judge_failure(const Failure& failure, Part part);
  bool take(std::vector<Outcome> outcomes, Part part);
  Task<bool> pause(int attempts);
  Next give_up(Error error);
  void refuse(Part part);

  LoopPool& pool_;
  Counters& counters_;
  const std::vector<Mutation> mutations_;
  const std::vector<std::uint32_t> order_;
  std::vector<Outcome> outcomes_;
  const ApplyGuard guard_;
  const Deadline deadline_;
  bool maybe_committed_ = false;  // a COMMIT was not answered
  bool some_committed_ = false;   // a part of the batch is durable
  Error error_;                   // why it gave up
};

Task<Result<std::vector<Outcome>>> BatchWriter::run() {
  std::vector<Part> parts = {Part(order_)};  // still to be written, the next one last
  while (!parts.empty()) {
    const Part part = parts.back();
    parts.pop_back();
    const Next next = co_await write(part);
    if (next == Next::give_up) co_return fail(std::move(error_));
    if (next != Next::halve) continue;
    count(counters_.batches_halved);
    const std::size_t half = part.size() / 2;
    parts.push_back(part.subspan(half));
    parts.push_back(part.first(half));
  }
  for (const Outcome& outcome : outcomes_) counters_.add(outcome);
  co_return std::move(outcomes_);
}

Task<BatchWriter::Next> BatchWriter::write(Part part) {
  for (int attempts = 1;; ++attempts) {
    Attempt made = co_await attempt(part);
    const Next next = judge(made, part);
    if (next != Next::again) co_return next;
    count(counters_.retries);
    if (attempts == attempts_max) {
      co_return give_up({ErrorCode::overloaded, "the database had to roll the transaction back again and again"});
    }
    const bool in_time = co_await pause(attempts);
    if (!in_time) {
      if (pool_.closing()) co_return give_up({ErrorCode::unavailable, "the store is closing"});
      count(counters_.timed_out);
      co_return give_up(
          {ErrorCode::deadline_exceeded, "the write was tried again until its deadline: " + error_.message});
    }
  }
}

Task<Attempt> BatchWriter::attempt(Part part) {
  Result<Lease> lease = co_await pool_.borrow(deadline_);
  if (!lease) {
    Attempt none;
    none.error = std::move(lease.error());
    co_return none;
  }
  const MonotonicTime begin = pool_.now();
  const BatchPart mine{mutations_, part};
  Attempt made = co_await attempt_batch(*lease, mine, guard_, pool_.latest(deadline_), counters_);
  counters_.add_time(counters_.transaction_ns, pool_.now() - begin);
  if (made.failure && meaning_of(*made.failure) == Meaning::other_host) lease->avoid_host();
  co_return made;
}

BatchWriter::Next BatchWriter::judge(Attempt& attempt, Part part) {
  if (attempt.maybe_committed) {
    maybe_committed_ = true;
    count(counters_.commits_ambiguous);
  }
  if (attempt.failure) {
    counters_.add(*attempt.failure);
    error_ = to_error(*attempt.failure, "writing");
    return judge_failure(*attempt.failure, part);
  }
  if (attempt.error) {
    // Only a later attempt can tell what became of a lost COMMIT, and the connection may come back.
    const bool may_come_back = attempt.error->code == ErrorCode::unavailable && !pool_.closing();
    error_ = std::move(*attempt.error);
    return maybe_committed_ && may_come_back ? Next::again : give_up(std::move(error_));
  }
  if (!take(std::move(attempt.outcomes), part)) {
    return give_up({ErrorCode::outcome_unknown, "an answer was lost, and newer writes leave no trace of this one"});
  }
  some_committed_ = true;
  return Next::done;
}

BatchWriter::Next BatchWriter::judge_failure(const Failure& failure, Part part) {
  if (pool_.now() >= deadline_.time()) {
    count(counters_.timed_out);
    return give_up({ErrorCode::deadline_exceeded, "the database did not answer in time"});
  }
  switch (meaning_of(failure)) {
    case Meaning::conflict:
    case Meaning::ambiguous:
    case Meaning::connection:
    case Meaning::other_host:
    case Meaning::timeout: return Next::again;
    case Meaning::no_memory: return part.size() > 1 ? Next::halve : Next::again;
    case Meaning::bad_data:
      if (part.size() > 1) return Next::halve;
      refuse(part);
      return Next::done;
    case Meaning::disk_full:
    case Meaning::not_fit:
    case Meaning::damaged:
    case Meaning::unknown: return give_up(std::move(error_));
  }
  return give_up(std::move(error_));
}

void BatchWriter::refuse(Part part) { outcomes_[part.front()].verdict = Verdict::refused; }

// False when an outcome does not say what became of an attempt whose answer was lost.
bool BatchWriter::take(std::vector<Outcome> outcomes, Part part) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (maybe_committed_ && outcomes[i].verdict == Verdict::indeterminate) return false;
    outcomes_[part[i]] = outcomes[i];
  }
  return true;
}

// Random, so that those who were in each other's way come back at different times. False when the deadline comes first.
Task<bool> BatchWriter::pause(int attempts) {
  const auto full = std::min(pause_max, pause_min * (1 << std::min(attempts, 10)));
  const auto random = pool_.connector().random()() % static_cast<std::uint64_t>(full.count());
  const MonotonicTime end = pool_.now() + std::chrono::microseconds(random);
  if (deadline_.expired(end) || pool_.closing()) co_return false;
  auto sleep = sleep_until(end);
  co_await sleep;
  co_return true;
}

BatchWriter::Next BatchWriter::give_up(Error error) {
  error_ = std::move(error);
  if (maybe_committed_ || some_committed_) error_.code = ErrorCode::outcome_unknown;
  return Next::give_up;
}

}  // namespace

Task<Result<std::vector<Outcome>>> write_batch(LoopPool& pool, Counters& counters, std::vector<Mutation> mutations,
                                               ApplyGuard guard, Deadline deadline) {
  const LoopPool::Visit visit(pool);
  BatchWriter writer(pool, counters, std::move(mutations), guard, deadline);
  co_return co_await writer.run();
}

}  // namespace armazem::pg
