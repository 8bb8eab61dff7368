// What the cache counted since it was made.
//
// Each loop counts for itself: plain numbers that one thread writes and any thread may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace armazem {

// One name per line, so that counters and their sum cannot drift apart.
#define ARMAZEM_REDIS_COUNTERS(COUNTER)                                           \
  COUNTER(hits_value)           /* gets answered with a value */                  \
  COUNTER(hits_negative)        /* gets answered with 'known to be absent' */     \
  COUNTER(misses)               /* all others, with or without a lease */         \
  COUNTER(misses_other_epoch)   /* of those: an entry of another epoch */         \
  COUNTER(misses_damaged)       /* of those: an entry that is none */             \
  COUNTER(leases_granted)                                                         \
  COUNTER(leases_held)          /* another reader held it */                      \
  COUNTER(fills_stored)                                                           \
  COUNTER(fills_refused)        /* the lease was gone */                          \
  COUNTER(puts_stored)                                                            \
  COUNTER(puts_older)           /* what was there was not older */                \
  COUNTER(removed)              /* entries and leases taken away by writes */     \
  COUNTER(too_large)            /* records above entry_bytes_max */               \
  COUNTER(moved)                                                                  \
  COUNTER(ask)                                                                    \
  COUNTER(try_again)                                                              \
  COUNTER(no_script)                                                              \
  COUNTER(refused_by_node)      /* CLUSTERDOWN, LOADING, BUSY, OOM and the like */ \
  COUNTER(timeouts)             /* of a command; each costs its connection */     \
  COUNTER(protocol_errors)                                                        \
  COUNTER(overloaded)           /* calls refused because too many waited */       \
  COUNTER(failed_at_once)       /* calls refused: breaker open, or not connected */ \
  COUNTER(connects)                                                               \
  COUNTER(connects_failed)                                                        \
  COUNTER(breaker_openings)                                                       \
  COUNTER(refreshes)            /* views of the cluster asked for */              \
  COUNTER(refreshes_failed)                                                       \
  COUNTER(views)                /* that differed from the one before */           \
  COUNTER(calls)                /* commands that ended, whatever became of them */ \
  COUNTER(call_us)              /* sum of how long they took */

struct RedisFigures {
#define ARMAZEM_COUNTER(name) std::uint64_t name = 0;
  ARMAZEM_REDIS_COUNTERS(ARMAZEM_COUNTER)
#undef ARMAZEM_COUNTER
  std::uint64_t breakers_open = 0;  // now, over all loops and nodes
  std::uint64_t connections = 0;    // that stand now
};

namespace redis {

class Counter {
 public:
  void add(std::uint64_t count = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
#define ARMAZEM_COUNTER(name) Counter name;
  ARMAZEM_REDIS_COUNTERS(ARMAZEM_COUNTER)
#undef ARMAZEM_COUNTER
  Counter breakers_open;
  Counter connections;

  void add_to(RedisFigures& sum) const noexcept {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name cannot stand in parentheses
#define ARMAZEM_COUNTER(name) sum.name += name.get();
    ARMAZEM_REDIS_COUNTERS(ARMAZEM_COUNTER)
#undef ARMAZEM_COUNTER
    sum.breakers_open += breakers_open.get();
    sum.connections += connections.get();
  }
};

}  // namespace redis

}  // namespace armazem
