// Sleeps to the microsecond: the loop's own timers count whole milliseconds, which is too coarse for sending at a rate.
//
// Thread rule: the loop's own thread.
#pragma once

#include <coroutine>
#include <map>

#include "core/deadline.h"
#include "net/file_descriptor.h"
#include "net/io_loop.h"

namespace armazem::cli {

class AlarmClock final : private net::IoWatcher {
 public:
  explicit AlarmClock(net::IoLoop& loop);
  AlarmClock(const AlarmClock&) = delete;
  AlarmClock& operator=(const AlarmClock&) = delete;
  ~AlarmClock();

  // co_await clock.until(time): true at that time or soon after; false, perhaps earlier, when cancelled.
  [[nodiscard]] auto until(MonotonicTime time) noexcept { return Wait{*this, time}; }
  // Ends all waits, and every later one at once.
  void cancel();

 private:
  struct Wait {
    AlarmClock& clock;
    MonotonicTime time;
    bool await_ready() const noexcept { return clock.cancelled_; }
    void await_suspend(std::coroutine_handle<> waiting) { clock.add(time, waiting); }
    bool await_resume() const noexcept { return !clock.cancelled_; }
  };
  void add(MonotonicTime time, std::coroutine_handle<> waiting);
  void on_events(std::uint32_t events) override;
  void arm();

  net::IoLoop& loop_;
  net::FileDescriptor timer_;  // a timerfd
  std::multimap<MonotonicTime, std::coroutine_handle<>> waiting_;
  bool cancelled_ = false;
};

}  // namespace armazem::cli
