// Ends waits whose time has come: one timer per loop that looks at everything that may wait, instead of a timer for every
// wait, because waits are many, short, and hardly ever end that way. So a time-out is up to one period late.
//
// Thread rule: one executor.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/task.h"
#include "core/time_source.h"

namespace armazem {

class Sweepable {
 public:
  // May post coroutines, but must not resume one: nothing may come or go meanwhile.
  virtual void sweep(MonotonicTime now) = 0;

 protected:
  ~Sweepable() = default;
};

class Sweeper {
 public:
  static constexpr std::chrono::milliseconds period{50};

  explicit Sweeper(const TimeSource& time) noexcept : time_(time) {}

  void add(Sweepable& one) { all_.push_back(&one); }
  void remove(Sweepable& one) noexcept { std::erase(all_, &one); }
  [[nodiscard]] MonotonicTime now() const noexcept { return time_.now(); }

  // Whatever was given more time than this has no more than this from now on.
  void stop_waiting_at(MonotonicTime time) noexcept { latest_ = time; }
  [[nodiscard]] MonotonicTime latest() const noexcept { return latest_; }

  // Until `finish`, and up to one period longer.
  Task<void> run() {
    while (!finishing_) {
      auto tick = sleep_until(now() + period);
      co_await tick;
      for (Sweepable* one : all_) one->sweep(now());
    }
  }
  void finish() noexcept { finishing_ = true; }

 private:
  const TimeSource& time_;
  std::vector<Sweepable*> all_;
  MonotonicTime latest_ = MonotonicTime::max();
  bool finishing_ = false;
};

}  // namespace armazem
