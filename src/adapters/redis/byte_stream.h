// The bytes of one connection to a node: plain TCP, or TLS on top of it (tls_stream.h).
//
// Thread rule: the loop's own thread; one that reads and one that writes at a time.
#pragma once

#include <span>
#include <string_view>

#include "core/task.h"
#include "net/io_handle.h"

namespace armazem::redis {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // At least one byte, or an error: an errno, or net::end_of_stream.
  virtual Task<net::IoResult> read_some(std::span<char> buffer) = 0;
  virtual Task<net::IoResult> write_all(std::string_view bytes) = 0;
};

class PlainStream final : public ByteStream {
 public:
  // `handle` must outlive the stream.
  explicit PlainStream(net::IoHandle& handle) noexcept : handle_(handle) {}
  Task<net::IoResult> read_some(std::span<char> buffer) override {
    net::ReadSome read(handle_, buffer);
    co_return co_await read;
  }
  Task<net::IoResult> write_all(std::string_view bytes) override {
    net::WriteAll write(handle_, bytes, {});
    co_return co_await write;
  }

 private:
  net::IoHandle& handle_;
};

}  // namespace armazem::redis
