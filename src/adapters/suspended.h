// A coroutine that waits inside an adapter, and how many of them are resumed at once.
#pragma once

#include <coroutine>
#include <utility>
#include <vector>

#include "core/executor.h"

namespace armazem {

struct Suspended {
  Executor* executor = nullptr;
  std::coroutine_handle<> handle;
};

// One wake-up per executor, however many wait there. Never under a lock: an executor may run them at once elsewhere.
inline void resume_all(std::vector<Suspended> waiting) {
  std::vector<std::coroutine_handle<>> handles;
  while (!waiting.empty()) {
    Executor* const executor = waiting.front().executor;
    handles.clear();
    std::erase_if(waiting, [&](const Suspended& one) {
      if (one.executor != executor) return false;
      handles.push_back(one.handle);
      return true;
    });
    executor->post_all(handles);
  }
}

}  // namespace armazem
