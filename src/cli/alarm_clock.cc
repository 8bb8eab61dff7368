#include "cli/alarm_clock.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/assert.h"

namespace armazem::cli {

// steady_clock is CLOCK_MONOTONIC here, so its times can be given to the timer as they are.
AlarmClock::AlarmClock(net::IoLoop& loop)
    : loop_(loop), timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  ARMAZEM_ASSERT(timer_.is_open());
  loop_.watch(timer_.get(), *this);
}

AlarmClock::~AlarmClock() { ARMAZEM_ASSERT(waiting_.empty()); }

void AlarmClock::cancel() {
  cancelled_ = true;
  for (const auto& [time, handle] : std::exchange(waiting_, {})) loop_.post(handle);
}

void AlarmClock::add(MonotonicTime time, std::coroutine_handle<> waiting) {
  const auto added = waiting_.emplace(time, waiting);
  if (added == waiting_.begin()) arm();
}

void AlarmClock::on_events(std::uint32_t) {
  std::uint64_t expirations = 0;
  if (::read(timer_.get(), &expirations, sizeof expirations) < 0) return;  // EPOLLOUT of the first look
  const MonotonicTime now = MonotonicClock::now();
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    loop_.post(waiting_.extract(waiting_.begin()).mapped());
  }
  if (!waiting_.empty()) arm();
}

void AlarmClock::arm() {
  const auto ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(waiting_.begin()->first.time_since_epoch()).count();
  itimerspec when{};
  when.it_value.tv_sec = ns / 1'000'000'000;
  when.it_value.tv_nsec = std::max<std::int64_t>(ns % 1'000'000'000, 1);  // all zero would disarm it
  ARMAZEM_ASSERT(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace armazem::cli
