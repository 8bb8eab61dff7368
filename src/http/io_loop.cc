#include "http/io_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <vector>

namespace armazem::http {

// The hint lets Asio drop the reactor's locks, because a descriptor is only ever touched by its own loop; `post` from
// other threads stays safe.
IoLoop::IoLoop() : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), work_(context_.get_executor()) {}

IoLoop::~IoLoop() = default;

void IoLoop::run() {
  thread_.store(std::this_thread::get_id());
  context_.run();
  thread_.store({});
}

void IoLoop::finish() {
  asio::post(context_, [this] { work_.reset(); });
}

void IoLoop::post(std::coroutine_handle<> resume) {
  asio::post(context_, [resume] { resume.resume(); });
}

void IoLoop::post_all(std::span<const std::coroutine_handle<>> resume) {
  if (resume.size() == 1) return post(resume.front());
  asio::post(context_, [all = std::vector(resume.begin(), resume.end())] {
    for (const std::coroutine_handle<> one : all) one.resume();
  });
}

void IoLoop::post_at(MonotonicTime time, std::coroutine_handle<> resume) {
  auto timer = std::make_unique<asio::steady_timer>(context_, time);
  asio::steady_timer& waiting = *timer;
  waiting.async_wait([timer = std::move(timer), resume](const boost::system::error_code&) { resume.resume(); });
}

bool IoLoop::running_here() const noexcept { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

}  // namespace armazem::http
