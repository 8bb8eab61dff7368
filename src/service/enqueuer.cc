#include "service/enqueuer.h"

#include <algorithm>
#include <utility>

#include "core/assert.h"
#include "core/partition.h"
#include "core/task_scope.h"

namespace armazem {

struct Enqueuer::Waiter : WaitingCoroutine {
  enum class State : std::uint8_t { gathering, sending, confirmed };

  const Mutation* mutation = nullptr;
  Patience patience;
  State state = State::gathering;
  std::size_t partition = 0;
  std::uint64_t message = 0;  // its number, once it is in one
  MonotonicTime confirmed_at;
  bool reply_lost = false;    // the address that the message names is gone
  QueuedWrite result;
};

// Suspends the submitting coroutine until its waiter is done.
struct Enqueuer::Submit {
  Enqueuer& enqueuer;
  Waiter& waiter;

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) const {
    waiter.executor = &handle.promise().executor();
    waiter.handle = handle;
    const std::size_t bytes = waiter.mutation->size_bytes();
    Enqueuer& queue = enqueuer;  // this awaiter may be gone as soon as the lock is free: another thread may answer it
    const MonotonicTime now = queue.time_.now();
    std::coroutine_handle<> wake;
    {
      const MutexLock lock(queue.mutex_);
      Partition& partition = queue.partitions_[waiter.partition];
      const bool twin = queue.waiting_.contains(waiter.mutation->version);
      if (twin || queue.turn_away(partition, bytes, now)) {
        if (twin) waiter.result.fate = QueuedWrite::Fate::maybe;
        ++queue.figures_.turned_away;
        return false;
      }
      queue.waiting_.emplace(waiter.mutation->version, &waiter);
      partition.gathering.push_back(&waiter);
      ++queue.gathering_;
      queue.gathering_bytes_ += bytes;
      if (!partition.idle.empty()) {
        wake = partition.idle.back();
        partition.idle.pop_back();
      }
    }
    if (wake) queue.executor_.post(wake);
    return true;
  }
  void await_resume() const noexcept {}
};

// Suspends a sender until its partition has something to send or the enqueuer closes.
struct Enqueuer::Idle {
  Enqueuer& queue;
  Partition& partition;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) const {
    const MutexLock lock(queue.mutex_);
    if (!partition.gathering.empty() || queue.closing_) return false;
    partition.idle.push_back(self);
    return true;
  }
  void await_resume() const noexcept {}
};

// Suspends a sender whose message is confirmed until the replies have come or have been waited for long enough.
struct Enqueuer::RepliesAwaited {
  Enqueuer& queue;
  Partition& partition;
  std::uint64_t number;
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> self) const {
    const MutexLock lock(queue.mutex_);
    const auto flight = std::ranges::find(partition.flights, number, &Flight::number);
    if (flight == partition.flights.end() || flight->undecided == 0 || queue.closing_ || queue.workers_silent_) return false;
    flight->sender = self;
    return true;
  }
  void await_resume() const {
    const MutexLock lock(queue.mutex_);
    std::erase_if(partition.flights, [this](const Flight& flight) { return flight.number == number; });
  }
};

Enqueuer::Enqueuer(QueuePublisher& publisher, Executor& executor, const TimeSource& time, EnqueuerOptions options)
    : publisher_(publisher), executor_(executor), time_(time), options_(options), partitions_(publisher.partitions()) {
  senders_ = partitions_.size() * options_.messages_in_flight_max;
  for (std::size_t partition = 0; partition < partitions_.size(); ++partition) {
    for (std::size_t i = 0; i < options_.messages_in_flight_max; ++i) start_root(executor_, send_loop(partition));
  }
}

Enqueuer::~Enqueuer() { close(); }

Task<QueuedWrite> Enqueuer::submit(const Mutation& mutation, Patience patience) {
  ARMAZEM_ASSERT(mutation.condition.kind == Condition::Kind::none);
  Waiter waiter;
  waiter.mutation = &mutation;
  waiter.patience = patience;
  waiter.partition = partition_of(mutation.key.text(), partitions_.size());
  const Submit submitted{*this, waiter};
  co_await submitted;
  co_return waiter.result;
}

bool Enqueuer::turn_away(Partition& partition, std::size_t bytes, MonotonicTime now) {
  if (closing_ || gathering_ >= options_.pending_mutations_max) return true;
  if (gathering_bytes_ + bytes > options_.pending_bytes_max) return true;
  if (!is_silent(partition, now) && !partition.failed) return false;
  if (now < partition.next_probe) return true;
  partition.next_probe = now + options_.probe_interval;
  return false;
}

Task<void> Enqueuer::send_loop(std::size_t index) {
  co_await resume_on(executor_);
  Partition& partition = partitions_[index];
  while (true) {
    const Idle idle{*this, partition};
    co_await idle;
    Message message;
    {
      const MutexLock lock(mutex_);
      message = take_message(partition);
      if (message.mutations.empty() && closing_) break;
    }
    if (message.mutations.empty()) continue;
    const Deadline deadline = Deadline::after(message.begun, options_.confirm_timeout);
    const Result<void> sent = co_await publisher_.publish(index, message.mutations, deadline);
    finish_message(partition, message, sent);
    const RepliesAwaited awaited{*this, partition, message.number};
    co_await awaited;
  }
  const MutexLock lock(mutex_);
  if (--senders_ == 0) ended_.notify_all();
}

// The mutations are copied: as soon as the lock is free, a waiter may be answered and gone.
Enqueuer::Message Enqueuer::take_message(Partition& partition) {
  Message message;
  if (partition.gathering.empty()) return message;
  message.number = ++figures_.messages;
  message.begun = time_.now();
  std::size_t bytes = 0;
  for (Waiter* waiter : partition.gathering) {
    const std::size_t size = waiter->mutation->size_bytes();
    if (message.mutations.size() == options_.message_mutations_max) break;
    if (!message.mutations.empty() && bytes + size > options_.message_bytes_max) break;
    bytes += size;
    waiter->state = Waiter::State::sending;
    waiter->message = message.number;
    message.mutations.push_back(*waiter->mutation);
  }
  const std::size_t taken = message.mutations.size();
  const auto begin = partition.gathering.begin();
  partition.gathering.erase(begin, begin + static_cast<std::ptrdiff_t>(taken));
  gathering_ -= taken;
  gathering_bytes_ -= bytes;
  figures_.mutations += taken;
  partition.flights.push_back({message.number, message.begun, false, {}, taken, {}});
  return message;
}

// Waiters are looked up again: a reply that overtook the confirm may have ended them, and a twin may wait in their place.
void Enqueuer::finish_message(Partition& partition, const Message& message, const Result<void>& sent) {
  Done done;
  const MonotonicTime now = time_.now();
  {
    const MutexLock lock(mutex_);
    Flight& flight = *std::ranges::find(partition.flights, message.number, &Flight::number);
    flight.confirmed = true;  // or will never be
    flight.confirmed_at = now;
    if (!sent || options_.replies_awaited.count() == 0) flight.undecided = 0;
    partition.failed = !sent;
    if (!sent) {
      ++figures_.unconfirmed;
      partition.next_probe = now + options_.probe_interval;
    }
    const bool maybe = !sent && sent.error().code == ErrorCode::outcome_unknown;
    for (const Mutation& mutation : message.mutations) {
      const auto found = waiting_.find(mutation.version);
      if (found == waiting_.end() || found->second->message != message.number) continue;
      Waiter& waiter = *found->second;
      if (sent) {
        confirm(waiter, now, done);
      } else {
        leave(waiter, maybe ? QueuedWrite::Fate::maybe : QueuedWrite::Fate::not_queued, done);
      }
    }
    // What gathered behind a message that failed need not wait for the next one to fail too.
    if (!sent) turn_gathering_away(partition, done);
  }
  resume_all(done);
}

void Enqueuer::confirm(Waiter& waiter, MonotonicTime now, Done& done) {
  if (confirmed_ == 0) replied_ = std::max(replied_, now);
  waiter.state = Waiter::State::confirmed;
  waiter.confirmed_at = now;
  ++confirmed_;
  const bool enough = waiter.patience.wait_until <= now || (!waiter.patience.asked_for && workers_silent(now));
  if (enough) {
    leave(waiter, QueuedWrite::Fate::confirmed, done);
  } else if (waiter.reply_lost) {
    leave(waiter, QueuedWrite::Fate::reply_lost, done);
  }
}

// Until the next reply, even when nobody waits any more.
bool Enqueuer::workers_silent(MonotonicTime now) noexcept {
  workers_silent_ = workers_silent_ || (confirmed_ > 0 && replied_ + options_.workers_silent_after < now);
  return workers_silent_;
}

bool Enqueuer::is_silent(const Partition& partition, MonotonicTime now) const noexcept {
  return std::ranges::any_of(partition.flights, [&](const Flight& flight) {
    return !flight.confirmed && flight.begun + options_.silence_after < now;
  });
}

void Enqueuer::turn_gathering_away(Partition& partition, Done& done) {
  gathering_ -= partition.gathering.size();
  figures_.turned_away += partition.gathering.size();
  for (Waiter* waiter : partition.gathering) {
    gathering_bytes_ -= waiter->mutation->size_bytes();
    leave(*waiter, QueuedWrite::Fate::not_queued, done);
  }
  partition.gathering.clear();
}

// A reply to a twin's message has decided it before it was sent.
void Enqueuer::stop_gathering(Waiter& waiter) {
  std::erase(partitions_[waiter.partition].gathering, &waiter);
  --gathering_;
  gathering_bytes_ -= waiter.mutation->size_bytes();
}

void Enqueuer::leave_confirmed(QueuedWrite::Fate fate, Done& done) {
  std::vector<Waiter*> confirmed;
  for (const auto& [version, waiter] : waiting_) {
    if (waiter->state == Waiter::State::confirmed) confirmed.push_back(waiter);
  }
  for (Waiter* waiter : confirmed) leave(*waiter, fate, done);
}

void Enqueuer::leave(Waiter& waiter, QueuedWrite::Fate fate, Done& done) {
  if (waiter.state == Waiter::State::confirmed) --confirmed_;
  waiting_.erase(waiter.mutation->version);
  waiter.result.fate = fate;
  done.push_back(&waiter);
  for (Flight& flight : partitions_[waiter.partition].flights) {
    if (flight.number != waiter.message || flight.undecided == 0) continue;
    --flight.undecided;
    if (flight.undecided == 0) go_on(flight);
  }
}

void Enqueuer::go_on(Flight& flight) {
  if (const std::coroutine_handle<> sender = std::exchange(flight.sender, {})) executor_.post(sender);
}

void Enqueuer::expire(MonotonicTime now) {
  Done done;
  {
    const MutexLock lock(mutex_);
    for (Partition& partition : partitions_) {
      if (is_silent(partition, now)) turn_gathering_away(partition, done);
    }
    const bool silent = workers_silent(now);
    std::vector<Waiter*> late;
    std::vector<Waiter*> overtaken;
    for (const auto& [version, waiter] : waiting_) {
      if (waiter->state != Waiter::State::confirmed) continue;
      const bool over = waiter->patience.wait_until <= now || (silent && !waiter->patience.asked_for);
      const bool hangs = partitions_[waiter->partition].newest_decided > waiter->message &&
                         waiter->confirmed_at + options_.overtaken_after <= now;
      if (over) {
        late.push_back(waiter);
      } else if (hangs) {
        overtaken.push_back(waiter);
      }
    }
    for (Waiter* waiter : late) leave(*waiter, QueuedWrite::Fate::confirmed, done);
    for (Waiter* waiter : overtaken) leave(*waiter, QueuedWrite::Fate::reply_lost, done);
    figures_.overtaken += overtaken.size();
    for (Partition& partition : partitions_) {
      for (Flight& flight : partition.flights) {
        if (flight.confirmed && flight.confirmed_at + options_.replies_awaited <= now) go_on(flight);
      }
    }
  }
  resume_all(done);
}

void Enqueuer::on_replies(std::span<const Reply> replies) {
  Done done;
  {
    const MutexLock lock(mutex_);
    replied_ = time_.now();
    workers_silent_ = false;
    figures_.replies += replies.size();
    for (const Reply& reply : replies) {
      const auto found = waiting_.find(reply.sent);
      if (found == waiting_.end()) {
        ++figures_.replies_unclaimed;
        continue;
      }
      Waiter& waiter = *found->second;
      if (waiter.state == Waiter::State::gathering) stop_gathering(waiter);
      std::uint64_t& newest = partitions_[waiter.partition].newest_decided;
      newest = std::max(newest, waiter.message);
      waiter.result.outcome = reply.outcome;
      leave(waiter, QueuedWrite::Fate::decided, done);
    }
  }
  resume_all(done);
}

void Enqueuer::on_replies_lost() {
  Done done;
  {
    const MutexLock lock(mutex_);
    leave_confirmed(QueuedWrite::Fate::reply_lost, done);
    for (const auto& [version, waiter] : waiting_) waiter->reply_lost = waiter->state == Waiter::State::sending;
  }
  resume_all(done);
}

void Enqueuer::close() {
  std::vector<std::coroutine_handle<>> wake;
  MutexLock lock(mutex_);
  closing_ = true;
  for (Partition& partition : partitions_) {
    wake.insert(wake.end(), partition.idle.begin(), partition.idle.end());
    partition.idle.clear();
    for (Flight& flight : partition.flights) go_on(flight);
  }
  executor_.post_all(wake);
  while (senders_ > 0) ended_.wait(mutex_);
  // Nobody will listen to their replies.
  Done done;
  leave_confirmed(QueuedWrite::Fate::confirmed, done);
  lock.unlock();
  resume_all(done);
}

Enqueuer::Figures Enqueuer::figures() const {
  const MutexLock lock(mutex_);
  Figures figures = figures_;
  figures.gathering = gathering_;
  figures.waiting_for_reply = confirmed_;
  return figures;
}

}  // namespace armazem
