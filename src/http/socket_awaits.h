// co_await on sockets: each awaiter starts one Asio operation and resumes its coroutine when that has ended.
//
// The awaiter lives in the coroutine's frame while it is suspended, so the completion handler is one pointer and Asio's
// per-thread recycling serves its memory. All run on the loop that owns the socket.
#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <coroutine>
#include <cstddef>

#include "http/io_loop.h"

namespace armazem::http {

using IoError = boost::system::error_code;

struct IoResult {
  IoError error;
  std::size_t bytes = 0;
};

struct ReadSome {
  Socket& socket;
  asio::mutable_buffer buffer;
  IoResult result{};

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    socket.async_read_some(buffer, [this, self](const IoError& error, std::size_t bytes) {
      result = {error, bytes};
      self.resume();
    });
  }
  IoResult await_resume() const noexcept { return result; }
};

// Writes everything or fails. Tries at once and only suspends when the socket's buffer is full.
struct WriteAll {
  Socket& socket;
  std::array<asio::const_buffer, 2> buffers;
  IoResult result{};

  bool await_ready() {
    advance();
    return result.error != asio::error::would_block;
  }
  void await_suspend(std::coroutine_handle<> self) { wait(self); }
  IoResult await_resume() const noexcept { return result; }

 private:
  void advance() {
    do {
      const std::size_t sent = socket.write_some(buffers, result.error);
      if (result.error) return;
      result.bytes += sent;
      consume(sent);
    } while (buffers[0].size() + buffers[1].size() > 0);
  }
  void consume(std::size_t sent) {
    for (asio::const_buffer& buffer : buffers) {
      const std::size_t part = std::min(sent, buffer.size());
      buffer += part;
      sent -= part;
    }
  }
  void wait(std::coroutine_handle<> self) {
    socket.async_wait(Socket::wait_write, [this, self](const IoError& error) {
      result.error = error;
      if (!error) advance();
      if (result.error == asio::error::would_block) return wait(self);
      self.resume();
    });
  }
};

struct Accept {
  Acceptor& acceptor;
  Socket& socket;
  IoError error{};

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    acceptor.async_accept(socket, [this, self](const IoError& outcome) {
      error = outcome;
      self.resume();
    });
  }
  IoError await_resume() const noexcept { return error; }
};

}  // namespace armazem::http
