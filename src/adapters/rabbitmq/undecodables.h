// Messages whose bytes are none of ours: put into the dead letters as they are, and acknowledged once that is
// confirmed.
//
// Thread rule: any thread.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "adapters/rabbitmq/inbox.h"
#include "adapters/rabbitmq/sender.h"
#include "core/mutex.h"

namespace armazem::rabbit {

class Undecodables {
 public:
  // `wakeup` is signalled when something was acknowledged. All must outlive it; `sender` must have ended before it
  // does.
  Undecodables(Sender& sender, Inbox& inbox, Wakeup& wakeup, const RabbitmqOptions& options);
  ~Undecodables();

  // `id`: that of the delivery.
  void add(std::uint64_t id, std::string body, std::string why);
  // Sends what could not be sent before. To be called now and then.
  void retry(MonotonicTime now);

 private:
  struct Letter : PublishWaiter {
    Undecodables* owner = nullptr;
    std::uint64_t id = 0;
    std::string body;
    std::string why;
    MonotonicTime retry_at;
    bool sending = false;
  };
  static void on_done(PublishWaiter& waiter);
  void done(Letter& letter);

  Sender& sender_;
  Inbox& inbox_;
  Wakeup& wakeup_;
  const RabbitmqOptions options_;
  Mutex mutex_;
  std::list<Letter> letters_ GUARDED_BY(mutex_);
};

}  // namespace armazem::rabbit
