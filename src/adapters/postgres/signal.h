// One coroutine waits, another tells it to go on.
//
// Thread rule: one executor.
#pragma once

#include <coroutine>
#include <utility>

#include "core/assert.h"
#include "core/executor.h"

namespace armazem::pg {

class Signal {
 public:
  explicit Signal(Executor& executor) noexcept : executor_(executor) {}

  // Remembered when nobody waits yet.
  void raise() {
    if (waiter_) {
      executor_.post(std::exchange(waiter_, {}));
    } else {
      raised_ = true;
    }
  }
  [[nodiscard]] bool awaited() const noexcept { return waiter_ != nullptr; }

  // co_await signal.wait()
  [[nodiscard]] auto wait() noexcept {
    struct Wait {
      Signal& signal;
      bool await_ready() const noexcept { return std::exchange(signal.raised_, false); }
      void await_suspend(std::coroutine_handle<> self) const {
        ARMAZEM_ASSERT(!signal.waiter_);
        signal.waiter_ = self;
      }
      void await_resume() const noexcept {}
    };
    return Wait{*this};
  }

 private:
  Executor& executor_;
  std::coroutine_handle<> waiter_;
  bool raised_ = false;
};

}  // namespace armazem::pg
