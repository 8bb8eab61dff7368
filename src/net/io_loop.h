// One thread, one epoll instance: an executor for coroutines that wait for sockets and for time.
//
// Readiness is edge-triggered and remembered, so a request costs one receive and one send: no system call is made only to
// learn that there is nothing yet. docs/adr/0004 has the measurement behind it.
//
// Thread rule: `post`, `post_all` and `finish` from any thread; everything else on the loop's own thread or before `run`.
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <cstdint>
#include <map>
#include <span>
#include <thread>
#include <vector>

#include "core/executor.h"
#include "core/mutex.h"
#include "net/file_descriptor.h"

namespace armazem::net {

// What a descriptor's events are reported to.
class IoWatcher {
 public:
  // `events` as of epoll_wait. May resume coroutines, and those may destroy this watcher, but no other one.
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~IoWatcher() = default;
};

class IoLoop final : public Executor {
 public:
  IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  // Runs on the calling thread until `finish` was called and everything posted has run.
  void run();
  // Nothing more will come from outside.
  void finish();

  void post(std::coroutine_handle<> resume) override;
  void post_all(std::span<const std::coroutine_handle<>> resume) override;
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override;
  [[nodiscard]] bool running_here() const noexcept override;

  // Reports every change of readiness, edge-triggered, until the descriptor is closed.
  void watch(int descriptor, IoWatcher& watcher);

  // Reports the next readiness for `events`, once; `again` when it has been watched so before. For a descriptor that
  // somebody else reads, who may leave bytes in it.
  void watch_once(int descriptor, IoWatcher& watcher, std::uint32_t events, bool again);
  void unwatch(int descriptor) noexcept;

 private:
  void control(int operation, int descriptor, IoWatcher& watcher, std::uint32_t events);
  void wake() noexcept;
  void run_posted();
  void run_due_timers();
  [[nodiscard]] int wait_ms() const;

  FileDescriptor epoll_;
  FileDescriptor wake_;  // an eventfd
  Mutex mutex_;
  std::vector<std::coroutine_handle<>> posted_ GUARDED_BY(mutex_);
  std::atomic<bool> has_posted_{false};
  std::atomic<bool> finishing_{false};
  std::vector<std::coroutine_handle<>> running_;  // what run_posted took
  std::multimap<MonotonicTime, std::coroutine_handle<>> timers_;
  std::atomic<std::thread::id> thread_{};
};

}  // namespace armazem::net
