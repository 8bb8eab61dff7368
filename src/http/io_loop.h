// One thread, one io_context: an executor for coroutines that wait for sockets.
//
// Thread rule: `post` and `post_all` from any thread; everything else on the loop's own thread or before `run`.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <coroutine>
#include <span>
#include <thread>

#include "core/executor.h"

namespace armazem::http {

namespace asio = boost::asio;
// Sockets bound to the concrete executor type: no type erasure on the request path.
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

class IoLoop final : public Executor {
 public:
  IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;
  ~IoLoop() override;

  [[nodiscard]] asio::io_context& context() noexcept { return context_; }

  // Runs on the calling thread until `finish` was called and nothing is left to wait for.
  void run();
  // No more work will come from outside.
  void finish();

  void post(std::coroutine_handle<> resume) override;
  void post_all(std::span<const std::coroutine_handle<>> resume) override;
  void post_at(MonotonicTime time, std::coroutine_handle<> resume) override;
  [[nodiscard]] bool running_here() const noexcept override;

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::atomic<std::thread::id> thread_{};
};

}  // namespace armazem::http
