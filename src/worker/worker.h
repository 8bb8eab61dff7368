// The worker: takes messages from the queue, has them applied, answers, acknowledges.
//
// Order of effects, for every mutation: store, cache, reply, acknowledge. The applier does the first two; a message is
// acknowledged when each of its mutations has been decided and answered, or set aside. A crash anywhere in between means a
// redelivery, which `apply` recognises.
//
// Batches are natural: whatever has arrived, up to the limits, without waiting for more. Several lanes do this at the same
// time; how many follows the depth of the queue.
//
// Nothing is ever rejected because a tier is away. A batch that cannot be applied is tried again with growing pauses; when
// that has failed for `hold_max`, all messages go back to the queue (another worker may reach the store) and the worker
// waits until the store answers. Only what can never be applied goes to the dead letters: a mutation older than the
// retention that finds no record, and one that the store refuses by itself.
//
// Thread rule: `run` on one I/O executor; `stop` and `figures` from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/histogram.h"
#include "core/limits.h"
#include "core/task.h"
#include "core/time_source.h"
#include "ports/queue.h"
#include "ports/store.h"
#include "service/applier.h"

namespace armazem {

struct WorkerOptions {
  std::size_t lanes_max = 4;
  std::size_t batch_mutations_max = limits::batch_mutations_max;
  std::size_t batch_bytes_max = limits::batch_bytes_max;
  std::chrono::milliseconds retention = limits::retention_default;
  // A mutation whose stamp is nearly as old as the retention is set aside too: purge runs by other machines' clocks.
  std::chrono::milliseconds retention_margin{60'000};
  std::chrono::milliseconds store_timeout{10'000};
  std::chrono::milliseconds backoff_first{50};
  std::chrono::milliseconds backoff_max{2'000};
  std::chrono::milliseconds hold_max{10'000};
  std::chrono::milliseconds adapt_interval{500};
  std::uint64_t depth_to_grow = 256;  // waiting messages above which a lane is added at each interval
  std::uint64_t depth_to_shrink = 16;  // and below which one is taken away
  std::optional<std::uint32_t> jitter_seed = {};  // of pauses between tries; chance, but for the simulation
};

class Worker {
 public:
  // All must outlive the worker.
  Worker(QueueConsumer& consumer, Applier& applier, Store& store, const TimeSource& time, WorkerOptions options);

  // Until `stop`: then batches under way are finished, the rest goes back to the queue, and the task ends.
  Task<void> run();
  void stop();

  struct Figures {
    std::uint64_t batches = 0;
    std::uint64_t mutations = 0;
    std::uint64_t redelivered = 0;  // messages
    std::uint64_t applied = 0;
    std::uint64_t replayed = 0;  // had been applied before: a redelivery or a direct apply
    std::uint64_t superseded = 0;
    std::uint64_t indeterminate = 0;
    std::uint64_t too_old = 0;
    std::uint64_t set_aside = 0;
    std::uint64_t store_errors = 0;  // tries that failed
    std::uint64_t releases = 0;  // times that everything was given back
    std::size_t lanes = 0;  // active now
    bool suspended = false;  // waiting for the store
  };
  [[nodiscard]] Figures figures() const noexcept;
  // From a mutation's stamp to its being applied, cache included: the delay that the clients of other keys see.
  [[nodiscard]] const DurationHistogram& delay() const noexcept { return delay_; }
  [[nodiscard]] const DurationHistogram& batch_time() const noexcept { return batch_time_; }

 private:
  enum class Fate { decided, given_back };

  Task<void> lane(std::size_t number);
  Task<void> adapt();
  Task<void> work(std::vector<Delivery> deliveries);
  // Appends the outcome of each mutation, however many tries that takes.
  Task<Fate> decide(std::span<const Mutation> mutations, std::vector<Outcome>& outcomes);
  Task<Fate> decide_halves(std::span<const Mutation> mutations, std::vector<Outcome>& outcomes, Error error);
  Task<Fate> set_aside_hopeless(std::span<const Mutation> mutations, std::span<const Outcome> outcomes);
  void answer(std::span<const Delivery> deliveries, std::span<const std::size_t> ends,
              std::span<const Mutation> mutations, std::span<const Outcome> outcomes);
  Task<Fate> set_aside(const Mutation& mutation, bool too_old);
  Task<Fate> pause(std::string_view what, int tries, MonotonicTime failing_since, Error error);
  Task<void> give_back();
  [[nodiscard]] ApplyGuard guard() const noexcept;
  void count(const Mutation& mutation, const Outcome& outcome);

  QueueConsumer& consumer_;
  Applier& applier_;
  Store& store_;
  const TimeSource& time_;
  const WorkerOptions options_;
  std::minstd_rand jitter_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> suspended_{false};
  std::atomic<std::size_t> lanes_{1};

  struct Counters {
    std::atomic<std::uint64_t> batches, mutations, redelivered, applied, replayed, superseded, indeterminate, too_old,
        set_aside, store_errors, releases;
  };
  Counters counters_{};
  DurationHistogram delay_;
  DurationHistogram batch_time_;
};

}  // namespace armazem
