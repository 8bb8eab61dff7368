// Where coroutines run: an I/O loop, a thread of a store, or the simulation's single thread.
#pragma once

#include <coroutine>
#include <span>

#include "core/deadline.h"

namespace armazem {

class Executor {
 public:
  virtual ~Executor() = default;

  // Resumes the coroutine later on this executor. Callable from any thread.
  virtual void post(std::coroutine_handle<> resume) = 0;
  // The same for many at once: one wake-up for a whole batch of finished requests.
  virtual void post_all(std::span<const std::coroutine_handle<>> resume) = 0;
  // Resumes at that monotonic time or soon after. Callable from this executor only.
  virtual void post_at(MonotonicTime time, std::coroutine_handle<> resume) = 0;
  // True on the thread that runs this executor.
  [[nodiscard]] virtual bool running_here() const noexcept = 0;
};

}  // namespace armazem
