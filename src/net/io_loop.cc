#include "net/io_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "core/assert.h"

namespace armazem::net {
namespace {

constexpr std::size_t events_per_wait = 256;

}  // namespace

IoLoop::IoLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ARMAZEM_ASSERT(epoll_.is_open() && wake_.is_open());
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // data.ptr stays null: the mark of a wake-up
  ARMAZEM_ASSERT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0);
}

void IoLoop::run() {
  thread_.store(std::this_thread::get_id());
  std::array<epoll_event, events_per_wait> events;
  run_posted();
  while (!finishing_.load(std::memory_order_acquire) || has_posted_.load(std::memory_order_acquire)) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms());
    // A watcher is only ever destroyed by its own coroutine, so none of this batch can be gone when its turn comes:
    // what resumes other coroutines (posts, timers) runs after the batch.
    for (int i = 0; i < count; ++i) {
      if (auto* watcher = static_cast<IoWatcher*>(events[static_cast<std::size_t>(i)].data.ptr)) {
        watcher->on_events(events[static_cast<std::size_t>(i)].events);
      }
    }
    run_posted();
    run_due_timers();
  }
  thread_.store({});
}

void IoLoop::finish() {
  finishing_.store(true, std::memory_order_release);
  wake();
}

void IoLoop::post(std::coroutine_handle<> resume) { post_all({&resume, 1}); }

void IoLoop::post_all(std::span<const std::coroutine_handle<>> resume) {
  const MutexLock lock(mutex_);
  const bool first = posted_.empty();
  posted_.insert(posted_.end(), resume.begin(), resume.end());
  has_posted_.store(true, std::memory_order_release);
  // Whoever found the queue empty wakes the loop; the loop itself looks before it sleeps. Still under the lock, because
  // what was posted may be the last thing that the loop does: as soon as it can take it, the loop may be gone.
  if (first && !running_here()) wake();
}

void IoLoop::post_at(MonotonicTime time, std::coroutine_handle<> resume) { timers_.emplace(time, resume); }

bool IoLoop::running_here() const noexcept {
  return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void IoLoop::watch(int descriptor, IoWatcher& watcher) {
  control(EPOLL_CTL_ADD, descriptor, watcher, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void IoLoop::watch_once(int descriptor, IoWatcher& watcher, std::uint32_t events, bool again) {
  control(again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, watcher, events | EPOLLONESHOT);
}

void IoLoop::unwatch(int descriptor) noexcept { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

void IoLoop::control(int operation, int descriptor, IoWatcher& watcher, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watcher;
  ARMAZEM_ASSERT(::epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0);
}

void IoLoop::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void IoLoop::run_posted() {
  while (has_posted_.load(std::memory_order_acquire)) {
    {
      const MutexLock lock(mutex_);
      running_.swap(posted_);
      has_posted_.store(false, std::memory_order_release);
    }
    for (const std::coroutine_handle<> next : running_) next.resume();
    running_.clear();
  }
}

void IoLoop::run_due_timers() {
  if (timers_.empty()) return;
  const MonotonicTime now = MonotonicClock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::coroutine_handle<> next = timers_.begin()->second;
    timers_.erase(timers_.begin());
    next.resume();
  }
}

int IoLoop::wait_ms() const {
  if (has_posted_.load(std::memory_order_acquire)) return 0;
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first - MonotonicClock::now();
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

}  // namespace armazem::net
