// A thread that keeps one connection up: tries the hosts in random order, hands the connection to its owner, and begins
// again when that one is lost, after a jittered pause that grows while nothing works.
//
// A nack, a channel closed right after a successful login and several lost connections are all normal in one failover
// of the broker: so the loop never concludes anything from how a connection ended.
#pragma once

#include <atomic>
#include <random>
#include <string>
#include <thread>

#include "adapters/rabbitmq/connection.h"
#include "core/mutex.h"

namespace armazem::rabbit {

// Called on the link's thread.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  // Uses the connection until it is lost (its error) or `stopping()` of the link and nothing is left to do (no error).
  virtual Result<void> serve(Connection& connection) = 0;
  // The connection is gone, or could not be made.
  virtual void on_down(const Error& why) = 0;
};

// Thread rule: any thread.
class LinkThread {
 public:
  // `owner`, `watchdog` and `counters` must outlive it. Nothing happens before `start`.
  LinkThread(Url url, const RabbitmqOptions& options, std::string purpose, LinkOwner& owner, Watchdog& watchdog,
             Counters& counters);
  ~LinkThread();
  void start();
  // Asks the owner to end.
  void request_stop();
  // And waits for it.
  void stop();

  [[nodiscard]] bool stopping() const noexcept { return stopping_.load(); }
  [[nodiscard]] Wakeup& wakeup() noexcept { return wakeup_; }
  // The owner says that it is ready, or not yet. `detail` is for people.
  void set_health(bool ok, std::string detail);
  [[nodiscard]] QueueHealth health() const;

 private:
  void run();
  Result<void> connect_and_serve();
  void pause(std::chrono::milliseconds span);

  const Url url_;
  const RabbitmqOptions options_;
  const std::string purpose_;
  LinkOwner& owner_;
  Watchdog& watchdog_;
  Counters& counters_;
  Wakeup wakeup_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  QueueHealth health_ GUARDED_BY(mutex_);
  std::minstd_rand random_{std::random_device{}()};
  std::vector<Host> untried_;  // in this round
  bool was_up_ = false;
  std::thread thread_;
};

}  // namespace armazem::rabbit
