// The change log in armazem_changes.
//
// Positions come from a sequence while the transaction that takes them is under way, so they may become visible out of
// order, and one whose transaction is rolled back never does. A page therefore ends before a position that is missing,
// until it is certain that nothing can come there any more:
//
//   PostgreSQL   Whoever took it had begun to write before it was missed first: a later position was visible then, so the
//                sequence had passed it. A transaction number that is taken after that is greater than that of whoever took
//                it. When all lesser ones have ended, as a later snapshot says, and it is still missing, it stays so.
//   CockroachDB  Nothing says what is under way; but no transaction of ours outlives the time-outs of its session, so it
//                stays missing when it has been missed for longer than those.
//
// Any order that all readers agree on would do; this one is that of positions, and of one key it is that of its versions,
// because a row's lock is held from before its position is taken until the commit.
#pragma once

#include <map>

#include "adapters/postgres/loop_pool.h"
#include "core/mutex.h"
#include "ports/changes.h"

namespace armazem::pg {

// Missing positions that were seen. Thread rule: any thread.
class Gaps {
 public:
  enum class State { unknown, may_come, settled };
  explicit Gaps(MonotonicClock::duration lifetime_max) noexcept : lifetime_max_(lifetime_max) {}

  // Whether nothing comes any more at `first` and the missing ones right behind it, by a snapshot in which they are missing.
  // `oldest_under_way`: 0 where nothing says it.
  [[nodiscard]] State look_up(std::uint64_t first, std::int64_t oldest_under_way, MonotonicTime now);
  // Takes note of one that was unknown; `number` was taken after it was missed.
  void note(std::uint64_t first, std::int64_t number, MonotonicTime now);

 private:
  struct Missed {
    std::int64_t number = 0;  // all with a lesser one have to end
    MonotonicTime since;
  };
  static constexpr std::size_t known_max = 4096;

  const MonotonicClock::duration lifetime_max_;
  Mutex mutex_;
  std::map<std::uint64_t, Missed> missed_ GUARDED_BY(mutex_);
};

Task<Result<ChangePage>> read_changes(LoopPool& pool, Counters& counters, Gaps& gaps, ChangesRequest request,
                                      Deadline deadline);

// The newest position of which everything before it is settled, too. On PostgreSQL that may have to wait for transactions
// that are under way; on CockroachDB one that is may come to lie before it.
Task<Result<ChangeLogState>> read_change_log(LoopPool& pool, Counters& counters, Deadline deadline);

}  // namespace armazem::pg
