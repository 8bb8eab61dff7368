// Sockets on a loop, and the operations that coroutines wait for.
//
// An operation tries at once; only when the socket is not ready does its coroutine suspend, and it resumes when the
// operation has ended: done, failed or cancelled. One operation that receives and one that sends at a time.
//
// Thread rule: the loop's own thread.
#pragma once

#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/assert.h"
#include "net/file_descriptor.h"
#include "net/io_loop.h"

namespace armazem::net {

class IoOperation;

class IoHandle final : public IoWatcher {
 public:
  // `descriptor` must not block. The loop must outlive the handle.
  IoHandle(FileDescriptor descriptor, IoLoop& loop);
  IoHandle(const IoHandle&) = delete;
  IoHandle& operator=(const IoHandle&) = delete;
  ~IoHandle() { ARMAZEM_ASSERT(receiving_ == nullptr && sending_ == nullptr); }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  // Ends the operations that wait, if there are any, with ECANCELED.
  void cancel();
  void shutdown_send() noexcept;
  // The other side has said that it sends no more, or is gone. What it sent before may still be there to be received.
  [[nodiscard]] bool hung_up() const noexcept { return hung_up_; }
  void close() noexcept { descriptor_.reset(); }

 private:
  friend class IoOperation;
  void on_events(std::uint32_t events) override;

  FileDescriptor descriptor_;
  IoLoop& loop_;
  IoOperation* receiving_ = nullptr;  // waits, in that direction
  IoOperation* sending_ = nullptr;
  bool readable_ = true;  // until a receive says otherwise
  bool hung_up_ = false;  // the other side sends no more: its end must still be received, and no event will say so
};

inline constexpr int end_of_stream = -1;  // beside the values of errno

struct IoResult {
  int error = 0;
  std::size_t bytes = 0;
};

class IoOperation {
 public:
  [[nodiscard]] bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> self) noexcept {
    ARMAZEM_ASSERT(slot() == nullptr);
    self_ = self;
    slot() = this;
  }

 protected:
  enum class Direction : std::uint8_t { receive, send };
  IoOperation(IoHandle& handle, Direction direction) noexcept : handle_(handle), direction_(direction) {}
  virtual ~IoOperation() = default;
  IoOperation(const IoOperation&) = default;

  // Tries; false when the socket is not ready.
  virtual bool attempt() = 0;
  virtual void fail(int error) noexcept = 0;

  [[nodiscard]] int descriptor() const noexcept { return handle_.descriptor(); }
  [[nodiscard]] bool readable() const noexcept { return handle_.readable_; }
  // Nothing is left to receive; the next byte raises a new event.
  void drained() const noexcept { handle_.readable_ = handle_.hung_up_; }

 private:
  friend class IoHandle;
  [[nodiscard]] IoOperation*& slot() const noexcept {
    return direction_ == Direction::receive ? handle_.receiving_ : handle_.sending_;
  }

  IoHandle& handle_;
  const Direction direction_;
  std::coroutine_handle<> self_;
};

// Receives what is there, at least one byte.
class ReadSome final : public IoOperation {
 public:
  ReadSome(IoHandle& handle, std::span<char> buffer) noexcept
      : IoOperation(handle, Direction::receive), buffer_(buffer) {}
  IoResult await_resume() const noexcept { return result_; }

 private:
  bool attempt() override;
  void fail(int error) noexcept override { result_.error = error; }

  std::span<char> buffer_;
  IoResult result_;
};

// Sends everything, or fails.
class WriteAll final : public IoOperation {
 public:
  WriteAll(IoHandle& handle, std::string_view first, std::string_view second) noexcept
      : IoOperation(handle, Direction::send), pieces_{first, second} {}
  IoResult await_resume() const noexcept { return result_; }

 private:
  bool attempt() override;
  void fail(int error) noexcept override { result_.error = error; }
  void consume(std::size_t sent) noexcept;

  std::array<std::string_view, 2> pieces_;
  IoResult result_;
};

// Takes the next connection of a listening socket.
class AcceptNext final : public IoOperation {
 public:
  struct Accepted {
    int error = 0;
    FileDescriptor socket;
  };
  explicit AcceptNext(IoHandle& listener) noexcept : IoOperation(listener, Direction::receive) {}
  Accepted await_resume() noexcept { return std::move(accepted_); }

 private:
  bool attempt() override;
  void fail(int error) noexcept override { accepted_.error = error; }

  Accepted accepted_;
};

// Waits until a connection begun by `begin_connect` (net/connect.h) stands: 0, or the errno of its failure.
class Connected final : public IoOperation {
 public:
  explicit Connected(IoHandle& handle) noexcept : IoOperation(handle, Direction::send) {}
  int await_resume() const noexcept { return error_; }

 private:
  bool attempt() override;
  void fail(int error) noexcept override { error_ = error; }

  int error_ = 0;
};

}  // namespace armazem::net
