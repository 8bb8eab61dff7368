// A socket that a driver owns, reads and writes by itself (libpq): here one only waits for its readiness.
//
// Level-triggered, one event per wait, because the driver may leave bytes in the socket.
// Thread rule: the loop's own thread.
#pragma once

#include <sys/epoll.h>

#include <coroutine>
#include <utility>

#include "core/assert.h"
#include "net/io_loop.h"

namespace armazem::net {

class BorrowedSocket final : public IoWatcher {
 public:
  // Both must outlive this object. Destroy it before the driver closes the descriptor.
  BorrowedSocket(int descriptor, IoLoop& loop) noexcept : descriptor_(descriptor), loop_(loop) {}
  BorrowedSocket(const BorrowedSocket&) = delete;
  BorrowedSocket& operator=(const BorrowedSocket&) = delete;
  ~BorrowedSocket() {
    ARMAZEM_ASSERT(!waiting_);
    if (watched_) loop_.unwatch(descriptor_);
  }

  // co_await readable() and so on: true when ready (an error or a hang-up counts: the driver will find it), false when
  // cancelled. One wait at a time.
  [[nodiscard]] auto readable() noexcept { return Wait{*this, EPOLLIN}; }
  [[nodiscard]] auto writable() noexcept { return Wait{*this, EPOLLOUT}; }
  [[nodiscard]] auto readable_or_writable() noexcept { return Wait{*this, EPOLLIN | EPOLLOUT}; }

  // Ends the wait, if there is one.
  void cancel() {
    if (!waiting_) return;
    cancelled_ = true;
    loop_.post(std::exchange(waiting_, {}));
  }

 private:
  struct Wait {
    BorrowedSocket& socket;
    std::uint32_t events;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) const {
      ARMAZEM_ASSERT(!socket.waiting_);
      socket.waiting_ = self;
      socket.cancelled_ = false;
      socket.loop_.watch_once(socket.descriptor_, socket, events, std::exchange(socket.watched_, true));
    }
    bool await_resume() const noexcept { return !socket.cancelled_; }
  };

  void on_events(std::uint32_t) override {
    // An event may still be on its way when the wait has been cancelled.
    if (waiting_) std::exchange(waiting_, {}).resume();
  }

  const int descriptor_;
  IoLoop& loop_;
  std::coroutine_handle<> waiting_;
  bool watched_ = false;
  bool cancelled_ = false;
};

}  // namespace armazem::net
