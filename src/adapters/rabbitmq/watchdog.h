// A thread that cuts connections on which a call of librabbitmq hangs, and that keeps the deadlines of those who wait.
//
// librabbitmq sends without any time-out (amqp_basic_publish, amqp_basic_ack), so a broker that stops reading would
// hold the calling thread for ever. Shutting the socket down makes the call end with an error. While a thread is held
// like that, the waiters' deadlines must still be kept: hence `tick`.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "core/deadline.h"
#include "core/mutex.h"

namespace armazem::rabbit {

class Watchdog {
 public:
  // How late a deadline may be noticed.
  static constexpr std::chrono::milliseconds period{25};

  // `tick` runs on the watchdog's thread, without a lock; it must outlive `stop`.
  explicit Watchdog(std::function<void(MonotonicTime)> tick);
  // Stops if that has not been done.
  ~Watchdog();
  // Cuts every socket after that time, those too that are opened later: so that nothing can hold up the end.
  void cut_all_at(MonotonicTime time) noexcept { cut_all_at_.store(time.time_since_epoch().count()); }
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  void stop();

  // One socket under watch, for as long as it is open.
  class Watched {
   public:
    Watched(Watchdog& watchdog, int fd);
    ~Watched();
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    const int fd_;
    std::atomic<MonotonicClock::rep> cut_at_{never};
  };

  // From here to its end the socket must not be busy for longer than `span`.
  class [[nodiscard]] Guard {
   public:
    Guard(Watched& watched, MonotonicClock::duration span) : watched_(watched) {
      watched_.cut_at_.store((MonotonicClock::now() + span).time_since_epoch().count(), std::memory_order_relaxed);
    }
    ~Guard() { watched_.cut_at_.store(never, std::memory_order_relaxed); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Watched& watched_;
  };

 private:
  static constexpr MonotonicClock::rep never = std::numeric_limits<MonotonicClock::rep>::max();
  void run();

  const std::function<void(MonotonicTime)> tick_;
  std::atomic<MonotonicClock::rep> cut_all_at_{never};
  Mutex mutex_;
  ConditionVariable stop_signal_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<Watched*> watched_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace armazem::rabbit
