#include "adapters/rabbitmq/link_thread.h"

#include <poll.h>
#include <pthread.h>

#include <algorithm>

#include "runtime/log.h"

namespace armazem::rabbit {

LinkThread::LinkThread(Url url, const RabbitmqOptions& options, std::string purpose, LinkOwner& owner,
                       Watchdog& watchdog, Counters& counters)
    : url_(std::move(url)),
      options_(options),
      purpose_(std::move(purpose)),
      owner_(owner),
      watchdog_(watchdog),
      counters_(counters),
      health_{false, "connecting"} {}

LinkThread::~LinkThread() { stop(); }

void LinkThread::start() {
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), ("amqp-" + purpose_).substr(0, 15).c_str());
}

void LinkThread::request_stop() {
  stopping_.store(true);
  wakeup_.signal();
}

void LinkThread::stop() {
  request_stop();
  if (thread_.joinable()) thread_.join();
}

void LinkThread::set_health(bool ok, std::string detail) {
  const MutexLock lock(mutex_);
  health_ = {ok, std::move(detail)};
}

QueueHealth LinkThread::health() const {
  const MutexLock lock(mutex_);
  return health_;
}

void LinkThread::run() {
  std::chrono::milliseconds backoff = options_.backoff_min;
  while (!stopping()) {
    const MonotonicTime begun = MonotonicClock::now();
    was_up_ = false;
    const Result<void> ended = connect_and_serve();
    if (ended) break;  // only when stopping
    const bool first = health().detail != ended.error().message;
    if (first) log::warn("queue: no link", {{"purpose", purpose_}, {"error", ended.error().message}});
    if (was_up_) counters_.link_losses.add();
    set_health(false, ended.error().message);
    owner_.on_down(ended.error());
    const bool useful = was_up_ && MonotonicClock::now() - begun > std::chrono::seconds(2);
    if (useful) backoff = options_.backoff_min;
    // All hosts of a round one after the other, then a pause of between half and the whole span.
    if (untried_.empty() || was_up_) {
      const auto half = static_cast<std::uint64_t>(backoff.count()) / 2;
      pause(std::chrono::milliseconds(half + random_() % (half + 1)));
      backoff = std::min(backoff * 2, options_.backoff_max);
    }
  }
  const Error closing{ErrorCode::unavailable, "closing"};
  set_health(false, closing.message);
  owner_.on_down(closing);
}

Result<void> LinkThread::connect_and_serve() {
  if (untried_.empty()) {
    untried_ = url_.hosts;
    std::shuffle(untried_.begin(), untried_.end(), random_);
  }
  const Host host = untried_.back();
  untried_.pop_back();
  auto connection = Connection::open(url_, host, options_, purpose_, watchdog_);
  if (!connection) return fail(std::move(connection.error()));
  counters_.connects.add();
  was_up_ = true;
  log::info("queue: connected", {{"purpose", purpose_}, {"host", host.text()}});
  return owner_.serve(**connection);
}

void LinkThread::pause(std::chrono::milliseconds span) {
  const Deadline end = Deadline::after(MonotonicClock::now(), span);
  while (!stopping() && !end.expired(MonotonicClock::now())) {
    pollfd polled{wakeup_.fd(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end.remaining(MonotonicClock::now()));
    (void)::poll(&polled, 1, static_cast<int>(left.count()));
    if (polled.revents != 0) wakeup_.drain();
  }
}

}  // namespace armazem::rabbit
