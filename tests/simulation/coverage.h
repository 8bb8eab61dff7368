// What happened in runs, counted: a simulation that never gets to where it is dangerous shows nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace armazem::sim {

enum class Seen : std::uint8_t {
  // operations of clients, by their end
  operations, writes_acknowledged, writes_accepted, writes_failed, writes_unknown, conditions_failed, replays_answered,
  reads_strong, reads_session, reads_cached, cache_hits, retries,
  // faults
  crash_api, crash_worker, pause_api, pause_worker, clock_step, clock_far,
  store_outage, store_hang, store_slow, store_conflicts, store_answer_lost, store_request_lost, store_late_commit,
  cache_outage, cache_failover, cache_old_primary, cache_restart, cache_eviction, cache_slow, cache_answer_lost,
  queue_blocked, queue_connection_lost, queue_failover, queue_nack, queue_unroutable, queue_confirm_lost,
  queue_publish_lost, queue_reply_lost, queue_duplicate, queue_reordered, queue_slow, client_answer_lost,
  // paths of ours
  restamped, superseded, indeterminate, already_applied, too_old, set_aside, redelivered, released, overtaken,
  turned_away, batched, lease_granted, lease_refused, lease_lost, filled,
  repaired, other_epoch, history_dropped, purged, not_yet_visible, too_far_ahead,
  count
};

inline constexpr std::size_t seen_count = static_cast<std::size_t>(Seen::count);

inline constexpr std::array<std::string_view, seen_count> seen_names{
    "operations", "writes acknowledged", "writes accepted (202)", "writes failed (503, 400)", "writes unknown", "conditions failed (412)", "answered as replayed",
    "strong reads", "session reads", "cached reads", "cache hits", "retries with an idempotency key",
    "crash: api", "crash: worker", "pause: api", "pause: worker", "clock: step", "clock: far future or past",
    "store: outage", "store: hangs", "store: slow", "store: conflicts", "store: committed, answer lost", "store: request lost", "store: commits after the deadline",
    "cache: outage", "cache: failover", "cache: old primary still served", "cache: restart empty", "cache: eviction", "cache: slow", "cache: answer lost",
    "queue: blocked", "queue: connection lost", "queue: failover", "queue: nack", "queue: unroutable", "queue: confirm lost",
    "queue: publish lost", "queue: reply lost", "queue: delivered twice", "queue: reordered", "queue: slow", "client: answer lost",
    "stamped again", "superseded", "indeterminate", "already applied", "too old", "set aside", "redelivered", "all given back", "overtaken by later messages",
    "turned away from the queue", "batches of several", "lease granted", "no lease: held by another", "lease lost before the fill", "filled",
    "cache repaired", "entry of another epoch", "history dropped entries", "purged", "not yet visible", "token too far ahead"};
static_assert(!seen_names.back().empty(), "one name each");

class Coverage {
 public:
  void add(Seen what, std::uint64_t times = 1) noexcept { counts_[static_cast<std::size_t>(what)] += times; }
  void add(const Coverage& other) noexcept {
    for (std::size_t i = 0; i < seen_count; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::uint64_t operator[](Seen what) const noexcept { return counts_[static_cast<std::size_t>(what)]; }

 private:
  std::array<std::uint64_t, seen_count> counts_{};
};

}  // namespace armazem::sim
