// Sockets on a loop, and the operations that coroutines wait for.
//
// An operation tries at once; only when the socket is not ready does its coroutine suspend, and it resumes when the
// operation has ended: done, failed or cancelled. One operation per socket at a time, because a connection does one thing
// after the other.
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
#include "http/file_descriptor.h"
#include "http/io_loop.h"

namespace armazem::http {

class IoOperation;

class IoHandle {
 public:
  // `descriptor` must not block. The loop must outlive the handle.
  IoHandle(FileDescriptor descriptor, IoLoop& loop);
  IoHandle(const IoHandle&) = delete;
  IoHandle& operator=(const IoHandle&) = delete;
  ~IoHandle() { ARMAZEM_ASSERT(waiting_ == nullptr); }

  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  // Ends the operation that waits, if there is one, with ECANCELED.
  void cancel();
  void shutdown_send() noexcept;
  void close() noexcept { descriptor_.reset(); }

 private:
  friend class IoLoop;
  friend class IoOperation;
  void on_events(std::uint32_t events);

  FileDescriptor descriptor_;
  IoLoop& loop_;
  IoOperation* waiting_ = nullptr;
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
    ARMAZEM_ASSERT(handle_.waiting_ == nullptr);
    self_ = self;
    handle_.waiting_ = this;
  }

 protected:
  explicit IoOperation(IoHandle& handle) noexcept : handle_(handle) {}
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
  IoHandle& handle_;
  std::coroutine_handle<> self_;
};

// Receives what is there, at least one byte.
class ReadSome final : public IoOperation {
 public:
  ReadSome(IoHandle& handle, std::span<char> buffer) noexcept : IoOperation(handle), buffer_(buffer) {}
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
      : IoOperation(handle), pieces_{first, second} {}
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
  explicit AcceptNext(IoHandle& listener) noexcept : IoOperation(listener) {}
  Accepted await_resume() noexcept { return std::move(accepted_); }

 private:
  bool attempt() override;
  void fail(int error) noexcept override { accepted_.error = error; }

  Accepted accepted_;
};

}  // namespace armazem::http
