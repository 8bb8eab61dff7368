// Coroutines that wait for what other requests share with them, and how they are woken.
#pragma once

#include <coroutine>
#include <vector>

#include "core/executor.h"

namespace armazem {

// Lives in the frame of the waiting coroutine until it is resumed; whoever wakes it holds only a pointer.
struct WaitingCoroutine {
  Executor* executor = nullptr;
  std::coroutine_handle<> handle;
};

// Wakes all of them and empties `done`: one wake-up per executor, however many of its requests are answered. There are
// few executors. `W` derives from WaitingCoroutine. A woken waiter may be gone at once.
template <class W>
void resume_all(std::vector<W*>& done) {
  std::vector<std::coroutine_handle<>> handles;
  handles.reserve(done.size());
  while (!done.empty()) {
    Executor* const executor = done.front()->executor;
    handles.clear();
    std::erase_if(done, [&](const W* waiter) {
      if (waiter->executor != executor) return false;
      handles.push_back(waiter->handle);
      return true;
    });
    executor->post_all(handles);
  }
}

}  // namespace armazem
