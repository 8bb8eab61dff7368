#include "adapters/rabbitmq/undecodables.h"

#include <algorithm>
#include <utility>

#include "adapters/rabbitmq/topology.h"
#include "core/assert.h"

namespace armazem::rabbit {
namespace {

constexpr std::chrono::seconds pause_between_tries{1};

std::uint64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

Undecodables::Undecodables(Sender& sender, Inbox& inbox, Wakeup& wakeup, const RabbitmqOptions& options)
    : sender_(sender), inbox_(inbox), wakeup_(wakeup), options_(options) {}

Undecodables::~Undecodables() {
  ARMAZEM_ASSERT(std::ranges::none_of(letters_, [](const Letter& letter) { return letter.sending; }));
}

void Undecodables::add(std::uint64_t id, std::string body, std::string why) {
  {
    const MutexLock lock(mutex_);
    Letter& letter = letters_.emplace_back();
    letter.owner = this;
    letter.on_done = on_done;
    letter.id = id;
    letter.body = std::move(body);
    letter.why = std::move(why);
  }
  retry(MonotonicClock::now());
}

void Undecodables::retry(MonotonicTime now) {
  // A callback may come before `submit` returns, on another thread, and waits for this lock; never on this one.
  const MutexLock lock(mutex_);
  for (Letter& letter : letters_) {
    if (letter.sending || letter.retry_at > now) continue;
    Outgoing message{dead_queue(options_), letter.body, false, std::string(to_string(DeadReason::undecodable)),
                     letter.why,           wall_ms()};
    letter.sending = sender_.submit(std::move(message), letter, Deadline::none()).has_value();
    if (!letter.sending) letter.retry_at = now + pause_between_tries;
  }
}

void Undecodables::on_done(PublishWaiter& waiter) {
  auto& letter = static_cast<Letter&>(waiter);
  letter.owner->done(letter);
}

void Undecodables::done(Letter& letter) {
  const MutexLock lock(mutex_);
  letter.sending = false;
  letter.retry_at = MonotonicClock::now() + pause_between_tries;
  if (!letter.result) return;  // tried again; a double in the dead letters is better than none
  if (inbox_.acknowledge({&letter.id, 1})) wakeup_.signal();
  letters_.remove_if([&](const Letter& one) { return &one == &letter; });
}

}  // namespace armazem::rabbit
