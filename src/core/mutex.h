// A mutex whose rules the compiler checks: what is GUARDED_BY it is touched only while it is held, and what REQUIRES it is
// called only so. Clang says so with -Wthread-safety, an error in our builds with it; GCC reads past the annotations.
// Source: Hutchins, Ballman, Sutherland, "C/C++ Thread Safety Analysis", SCAM 2014; Clang's "Thread Safety Analysis".
#pragma once

#include <condition_variable>
#include <mutex>

#include "core/deadline.h"

#if defined(__clang__)
#define ARMAZEM_ANNOTATION(text) __attribute__((text))
#else
#define ARMAZEM_ANNOTATION(text)
#endif

#define CAPABILITY(name) ARMAZEM_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY ARMAZEM_ANNOTATION(scoped_lockable)
#define GUARDED_BY(mutex) ARMAZEM_ANNOTATION(guarded_by(mutex))
#define REQUIRES(mutex) ARMAZEM_ANNOTATION(requires_capability(mutex))
#define EXCLUDES(mutex) ARMAZEM_ANNOTATION(locks_excluded(mutex))
#define ASSERT_CAPABILITY(...) ARMAZEM_ANNOTATION(assert_capability(__VA_ARGS__))
#define ACQUIRE(...) ARMAZEM_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) ARMAZEM_ANNOTATION(release_capability(__VA_ARGS__))

namespace armazem {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }
  // Tells the analysis, which does not see that two names are one mutex, that it is held. Checks nothing.
  void assert_held() const ASSERT_CAPABILITY() {}

 private:
  friend class ConditionVariable;
  std::mutex mutex_;
};

// Holds the mutex while it lives, and may let go of it in between. Never kept over a co_await.
class SCOPED_CAPABILITY [[nodiscard]] MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void unlock() RELEASE() {
    held_ = false;
    mutex_.unlock();
  }
  void lock() ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

// Waits return for no reason too: the caller asks again what it waits for, in a loop, where the analysis can see it.
class ConditionVariable {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }

  // False when `until` has passed.
  [[nodiscard]] bool wait_until(Mutex& mutex, MonotonicTime until) REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, until);
    lock.release();
    return status == std::cv_status::no_timeout;
  }

 private:
  std::condition_variable condition_;
};

}  // namespace armazem
