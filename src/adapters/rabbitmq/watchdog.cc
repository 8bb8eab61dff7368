#include "adapters/rabbitmq/watchdog.h"

#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>

namespace armazem::rabbit {

Watchdog::Watched::Watched(Watchdog& watchdog, int fd) : watchdog_(watchdog), fd_(fd) {
  const MutexLock lock(watchdog_.mutex_);
  watchdog_.watched_.push_back(this);
}

Watchdog::Watched::~Watched() {
  const MutexLock lock(watchdog_.mutex_);
  std::erase(watchdog_.watched_, this);
}

Watchdog::Watchdog(std::function<void(MonotonicTime)> tick) : tick_(std::move(tick)), thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), "amqp-watchdog");
}

Watchdog::~Watchdog() { stop(); }

void Watchdog::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_signal_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watchdog::run() {
  MutexLock lock(mutex_);
  while (true) {
    const MonotonicTime next = MonotonicClock::now() + period;
    while (!stopping_ && stop_signal_.wait_until(mutex_, next)) {}
    if (stopping_) return;
    const MonotonicTime now = MonotonicClock::now();
    const MonotonicClock::rep cut_all_at = cut_all_at_.load();
    for (Watched* watched : watched_) {
      const MonotonicClock::rep cut_at = std::min(cut_all_at, watched->cut_at_.load(std::memory_order_relaxed));
      if (cut_at > now.time_since_epoch().count()) continue;
      ::shutdown(watched->fd_, SHUT_RDWR);
    }
    lock.unlock();
    tick_(now);
    lock.lock();
  }
}

}  // namespace armazem::rabbit
