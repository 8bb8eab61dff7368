// A few threads that run coroutines which may block: disk reads, synced writes. With one thread it is a serial executor.
//
// Thread rule: all methods from any thread, except `post_at` (not offered: blocking threads keep no timers).
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/executor.h"
#include "core/mutex.h"

namespace armazem {

class ThreadPool final : public Executor {
 public:
  // `name` shows in process listings (15 bytes at most).
  ThreadPool(const std::string& name, std::size_t threads);
  // Ends after everything posted so far has run.
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void post(std::coroutine_handle<> resume) override;
  void post_all(std::span<const std::coroutine_handle<>> resume) override;
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override;
  [[nodiscard]] bool running_here() const noexcept override;

  // Waiting now; for bounding the hand-over before it is made.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

 private:
  void run();

  Mutex mutex_;
  ConditionVariable wake_;
  std::deque<std::coroutine_handle<>> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::atomic<std::size_t> waiting_{0};
  std::vector<std::thread> threads_;           // fixed after construction
};

}  // namespace armazem
