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
  QueuedWrite result;
};

// Suspends the submitting coroutine until its waiter is done.
struct Enqueuer::Submit {
  Enqueuer& queue;
  Waiter& waiter;

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) const {
    waiter.executor = &handle.promise().executor();
    waiter.handle = handle;
    const std::size_t bytes = waiter.mutation->size_bytes();
    const MonotonicTime now = queue.time_.now();
    std::coroutine_handle<> wake;
    {
      const std::lock_guard lock(queue.mutex_);
      Partition& partition = queue.partitions_[waiter.partition];
      const bool known = queue.waiting_.contains(waiter.mutation->version);
      if (known || queue.turn_away(partition, bytes, now)) {
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
    const std::lock_guard lock(queue.mutex_);
    if (!partition.gathering.empty() || queue.closing_) return false;
    partition.idle.push_back(self);
    return true;
  }
  void await_resume() const noexcept {}
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
    const MonotonicTime begun = time_.now();
    std::vector<Waiter*> message;
    std::vector<Mutation> mutations;
    {
      const std::lock_guard lock(mutex_);
      message = take_message(partition);
      if (message.empty() && closing_) break;
      if (!message.empty()) partition.sent.push_back(begun);
      // Copied under the lock: as soon as it is free, a waiter may lose patience and be gone.
      mutations.reserve(message.size());
      for (const Waiter* waiter : message) mutations.push_back(*waiter->mutation);
    }
    if (message.empty()) continue;
    std::vector<Version> versions;
    for (const Mutation& mutation : mutations) versions.push_back(mutation.version);
    const Deadline deadline = Deadline::after(begun, options_.confirm_timeout);
    const Result<void> sent = co_await publisher_.publish(index, mutations, deadline);
    finish_message(partition, versions, begun, sent);
  }
  const std::lock_guard lock(mutex_);
  if (--senders_ == 0) ended_.notify_all();
}

std::vector<Enqueuer::Waiter*> Enqueuer::take_message(Partition& partition) {
  std::size_t bytes = 0;
  std::size_t taken = 0;
  for (; taken < partition.gathering.size() && taken < options_.message_mutations_max; ++taken) {
    const std::size_t size = partition.gathering[taken]->mutation->size_bytes();
    if (taken > 0 && bytes + size > options_.message_bytes_max) break;
    bytes += size;
    partition.gathering[taken]->state = Waiter::State::sending;
  }
  const auto end = partition.gathering.begin() + static_cast<std::ptrdiff_t>(taken);
  std::vector<Waiter*> message(partition.gathering.begin(), end);
  partition.gathering.erase(partition.gathering.begin(), end);
  gathering_ -= taken;
  gathering_bytes_ -= bytes;
  if (taken > 0) ++figures_.messages;
  figures_.mutations += taken;
  return message;
}

// Waiters are looked up again: a reply that overtook the confirm, or their own impatience, may have ended them.
void Enqueuer::finish_message(Partition& partition, std::span<const Version> versions, MonotonicTime begun,
                              const Result<void>& sent) {
  Done done;
  const MonotonicTime now = time_.now();
  {
    const std::lock_guard lock(mutex_);
    partition.sent.erase(std::ranges::find(partition.sent, begun));
    partition.failed = !sent;
    if (!sent) {
      ++figures_.unconfirmed;
      partition.next_probe = now + options_.probe_interval;
    }
    const bool maybe = !sent && sent.error().code == ErrorCode::outcome_unknown;
    for (const Version& version : versions) {
      const auto found = waiting_.find(version);
      if (found == waiting_.end()) continue;
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
  ++confirmed_;
  const bool enough = waiter.patience.wait_until <= now || (!waiter.patience.asked_for && workers_silent(now));
  if (enough) leave(waiter, QueuedWrite::Fate::confirmed, done);
}

bool Enqueuer::workers_silent(MonotonicTime now) const noexcept {
  return confirmed_ > 0 && replied_ + options_.workers_silent_after < now;
}

bool Enqueuer::is_silent(const Partition& partition, MonotonicTime now) const noexcept {
  const auto oldest = std::ranges::min_element(partition.sent);
  return oldest != partition.sent.end() && *oldest + options_.silence_after < now;
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

void Enqueuer::leave(Waiter& waiter, QueuedWrite::Fate fate, Done& done) {
  if (waiter.state == Waiter::State::confirmed) --confirmed_;
  waiting_.erase(waiter.mutation->version);
  waiter.result.fate = fate;
  done.push_back(&waiter);
}

void Enqueuer::expire(MonotonicTime now) {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    for (Partition& partition : partitions_) {
      if (is_silent(partition, now)) turn_gathering_away(partition, done);
    }
    const bool silent = workers_silent(now);
    std::vector<Waiter*> late;
    for (const auto& [version, waiter] : waiting_) {
      const bool over = waiter->patience.wait_until <= now || (silent && !waiter->patience.asked_for);
      if (waiter->state == Waiter::State::confirmed && over) late.push_back(waiter);
    }
    for (Waiter* waiter : late) leave(*waiter, QueuedWrite::Fate::confirmed, done);
  }
  resume_all(done);
}

void Enqueuer::on_replies(std::span<const Reply> replies) {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    replied_ = time_.now();
    figures_.replies += replies.size();
    for (const Reply& reply : replies) {
      const auto found = waiting_.find(reply.sent);
      if (found == waiting_.end()) {
        ++figures_.replies_unclaimed;
        continue;
      }
      Waiter& waiter = *found->second;
      waiter.result.outcome = reply.outcome;
      leave(waiter, QueuedWrite::Fate::decided, done);
    }
  }
  resume_all(done);
}

void Enqueuer::on_replies_lost() {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    std::vector<Waiter*> lost;
    for (const auto& [version, waiter] : waiting_) {
      if (waiter->state == Waiter::State::confirmed) lost.push_back(waiter);
    }
    for (Waiter* waiter : lost) leave(*waiter, QueuedWrite::Fate::reply_lost, done);
  }
  resume_all(done);
}

void Enqueuer::close() {
  std::vector<std::coroutine_handle<>> wake;
  std::unique_lock lock(mutex_);
  closing_ = true;
  for (Partition& partition : partitions_) {
    wake.insert(wake.end(), partition.idle.begin(), partition.idle.end());
    partition.idle.clear();
  }
  executor_.post_all(wake);
  ended_.wait(lock, [this] { return senders_ == 0; });
}

Enqueuer::Figures Enqueuer::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.gathering = gathering_;
  figures.waiting_for_reply = confirmed_;
  return figures;
}

}  // namespace armazem
