// One load test: connections spread over the loops, each sending as the schedule says, until it ends or is stopped.
//
// Thread rule: one thread that is none of the loops.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "cli/load_stats.h"
#include "cli/request_maker.h"
#include "cli/schedule.h"
#include "core/time_source.h"
#include "net/loop_group.h"

namespace armazem::cli {

class LoopLoad;

class LoadRun {
 public:
  // Begins at once. All must outlive it.
  LoadRun(const BenchOptions& options, const Endpoint& endpoint, net::LoopGroup& loops, const TimeSource& time);
  // Only when it has ended.
  ~LoadRun();
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  // Sends nothing more; what is on its way has `grace` left.
  void stop(std::chrono::milliseconds grace);
  [[nodiscard]] bool ended() const noexcept { return running_.load(std::memory_order_acquire) == 0; }
  [[nodiscard]] const Schedule& schedule() const noexcept { return schedule_; }
  [[nodiscard]] const Collector& collector() const noexcept { return collector_; }
  // From the begin of the measurement to the last answer; meaningful when it has ended.
  [[nodiscard]] double measured_seconds() const;

 private:
  friend class LoopLoad;
  const BenchOptions& options_;
  const Endpoint& endpoint_;
  const TimeSource& time_;
  SharedWork work_;
  Schedule schedule_;
  Collector collector_;
  std::atomic<MonotonicTime> cut_at_{MonotonicTime::max()};  // set by stop: answers are not waited for any longer
  std::atomic<std::size_t> running_;
  std::vector<std::unique_ptr<LoopLoad>> parts_;
};

}  // namespace armazem::cli
