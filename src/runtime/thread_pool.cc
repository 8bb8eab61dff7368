#include "runtime/thread_pool.h"

#include <pthread.h>

#include "core/assert.h"

namespace armazem {
namespace {

// The pool whose thread this is; read by running_here only.
thread_local const ThreadPool* pool_of_this_thread = nullptr;

}  // namespace

ThreadPool::ThreadPool(const std::string& name, std::size_t threads) {
  ARMAZEM_ASSERT(threads > 0);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), name.substr(0, 15).c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::post(std::coroutine_handle<> resume) { post_all({&resume, 1}); }

void ThreadPool::post_all(std::span<const std::coroutine_handle<>> resume) {
  // Notified under the lock: a coroutine that runs at once may be the one that lets the pool's owner destroy it.
  const MutexLock lock(mutex_);
  queue_.insert(queue_.end(), resume.begin(), resume.end());
  waiting_.store(queue_.size(), std::memory_order_relaxed);
  if (resume.size() == 1) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
}

void ThreadPool::post_at(MonotonicTime, std::coroutine_handle<>) {
  ARMAZEM_ASSERT(false && "timers belong to I/O executors");
}

bool ThreadPool::running_here() const noexcept { return pool_of_this_thread == this; }

void ThreadPool::run() {
  pool_of_this_thread = this;
  MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && queue_.empty()) wake_.wait(mutex_);
    if (queue_.empty()) return;
    const std::coroutine_handle<> next = queue_.front();
    queue_.pop_front();
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    lock.unlock();
    next.resume();
    lock.lock();
  }
}

}  // namespace armazem
