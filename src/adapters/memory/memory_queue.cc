#include "adapters/memory/memory_queue.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

#include "adapters/message_codec.h"
#include "adapters/restamp.h"
#include "adapters/suspended.h"
#include "core/assert.h"
#include "core/mutex.h"
#include "core/partition.h"

namespace armazem {
namespace {

struct Message {
  std::string body;
  std::string reply_to;
  std::size_t deliveries = 0;
};

// Where the replies of one publisher go. Its lock is held while the sink runs, so that the sink can be taken away.
struct Mailbox {
  Mutex mutex;
  ReplySink* sink GUARDED_BY(mutex) = nullptr;
};

// Both live in the frame of the coroutine that waits.
struct PublishWaiter {
  Suspended suspended;
  Deadline deadline;
  std::size_t bytes = 0;
  Result<void> result;
};
struct TakeWaiter {
  Suspended suspended;
  std::size_t mutations_max;
  std::size_t bytes_max;
  Deadline deadline;
  std::vector<Delivery> taken;
};

Error unknown(std::string why) { return {ErrorCode::outcome_unknown, std::move(why)}; }

}  // namespace

struct MemoryQueue::Broker {
  Broker(MemoryQueueOptions chosen, const TimeSource& clock) : options(chosen), time(clock) {}

  void enqueue(Message message) REQUIRES(mutex) { ready.push_back(std::move(message)); }
  void dead(std::string_view reason, std::string detail, std::string body) REQUIRES(mutex);
  // Hands what is ready to those who wait; the caller resumes them when it has let go of the lock.
  [[nodiscard]] std::vector<Suspended> hand_out() REQUIRES(mutex);
  std::string new_address() REQUIRES(mutex) { return "memory-replies-" + std::to_string(++addresses); }
  static bool spend(std::size_t& left) {
    if (left == 0) return false;
    --left;
    return true;
  }

  const MemoryQueueOptions options;
  const TimeSource& time;
  mutable Mutex mutex;
  std::deque<Message> ready GUARDED_BY(mutex);
  std::deque<DeadLetter> letters GUARDED_BY(mutex);
  std::map<std::string, std::shared_ptr<Mailbox>> mailboxes GUARDED_BY(mutex);  // by reply address
  std::vector<Publisher*> publishers GUARDED_BY(mutex);
  std::vector<Consumer*> consumers GUARDED_BY(mutex);
  std::uint64_t addresses GUARDED_BY(mutex) = 0;
  std::uint64_t deliveries GUARDED_BY(mutex) = 0;

  std::size_t refusals GUARDED_BY(mutex) = 0;
  Error refusal GUARDED_BY(mutex);
  std::size_t lost_confirms GUARDED_BY(mutex) = 0;
  std::size_t lost_replies GUARDED_BY(mutex) = 0;
  std::size_t refused_letters GUARDED_BY(mutex) = 0;
  bool confirms_held GUARDED_BY(mutex) = false;
  bool deliveries_held GUARDED_BY(mutex) = false;
};

class MemoryQueue::Publisher final : public QueuePublisher {
 public:
  Publisher(Broker& broker, ReplySink& sink) : broker_(broker), mailbox_(std::make_shared<Mailbox>()) {
    mailbox_->sink = &sink;
    const MutexLock lock(broker_.mutex);
    broker_.publishers.push_back(this);
    address_ = broker_.new_address();
    broker_.mailboxes.emplace(address_, mailbox_);
  }

  ~Publisher() override {
    std::vector<Suspended> resumed;
    {
      const MutexLock lock(broker_.mutex);
      std::erase(broker_.publishers, this);
      broker_.mailboxes.erase(address_);
      end_waiting(resumed, [](const PublishWaiter&) { return true; }, fail(unknown("the publisher is closing")));
    }
    resume_all(std::move(resumed));
    const MutexLock lock(mailbox_->mutex);
    mailbox_->sink = nullptr;
  }

  [[nodiscard]] std::size_t partitions() const noexcept override { return broker_.options.partitions; }

  Task<Result<void>> publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) override {
    ARMAZEM_ASSERT(partition < partitions());
    PublishWaiter waiter{{}, deadline, 0, {}};
    Send send{*this, encode_message(mutations), waiter};
    co_await send;
    co_return std::move(waiter.result);
  }

  [[nodiscard]] QueueHealth health() const override {
    const MutexLock lock(broker_.mutex);
    if (broker_.refusals > 0) return {false, broker_.refusal.message};
    return {true, "in memory"};
  }

  // Under the broker's lock. Ends those that `which` chooses.
  template <class Which>
  void end_waiting(std::vector<Suspended>& resumed, Which which, const Result<void>& result) {
    broker_.mutex.assert_held();
    std::erase_if(waiting_, [&](PublishWaiter* waiter) {
      if (!which(*waiter)) return false;
      waiter->result = result;
      waiting_bytes_ -= waiter->bytes;
      resumed.push_back(waiter->suspended);
      return true;
    });
  }

  // Under the broker's lock.
  std::shared_ptr<Mailbox> move_address() {
    broker_.mutex.assert_held();
    broker_.mailboxes.erase(address_);
    address_ = broker_.new_address();
    broker_.mailboxes.emplace(address_, mailbox_);
    return mailbox_;
  }

 private:
  struct Send {
    Publisher& publisher;
    std::string body;
    PublishWaiter& waiter;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
      waiter.suspended = {&handle.promise().executor(), handle};
      return publisher.send(std::move(body), waiter);
    }
    void await_resume() const noexcept {}
  };

  // True when the waiter is to wait.
  bool send(std::string body, PublishWaiter& waiter) {
    std::vector<Suspended> takers;
    bool waits = false;
    {
      const MutexLock lock(broker_.mutex);
      if (auto refused = refuse(body.size(), waiter.deadline)) {
        waiter.result = fail(std::move(*refused));
        return false;
      }
      waiter.bytes = body.size();
      broker_.enqueue({std::move(body), address_});
      takers = broker_.hand_out();
      if (Broker::spend(broker_.lost_confirms)) {
        waiter.result = fail(unknown("the confirm was lost"));
      } else if (broker_.confirms_held) {
        waits = true;
        waiting_.push_back(&waiter);
        waiting_bytes_ += waiter.bytes;
      }
    }
    resume_all(std::move(takers));
    return waits;
  }

  std::optional<Error> refuse(std::size_t bytes, Deadline deadline) REQUIRES(broker_.mutex) {
    if (deadline.expired(broker_.time.now())) return Error{ErrorCode::deadline_exceeded, "too late to publish"};
    if (Broker::spend(broker_.refusals)) return broker_.refusal;
    const bool full = waiting_.size() >= broker_.options.unconfirmed_messages_max ||
                      (!waiting_.empty() && waiting_bytes_ + bytes > broker_.options.unconfirmed_bytes_max);
    if (full) return Error{ErrorCode::overloaded, "too many messages wait for their confirm"};
    return std::nullopt;
  }

  Broker& broker_;
  const std::shared_ptr<Mailbox> mailbox_;
  // under the broker's lock
  std::string address_;
  std::vector<PublishWaiter*> waiting_;
  std::size_t waiting_bytes_ = 0;
};

class MemoryQueue::Consumer final : public QueueConsumer {
 public:
  explicit Consumer(Broker& broker) : broker_(broker) {
    const MutexLock lock(broker_.mutex);
    broker_.consumers.push_back(this);
  }

  ~Consumer() override {
    close();
    std::vector<Suspended> takers;
    {
      const MutexLock lock(broker_.mutex);
      std::erase(broker_.consumers, this);
      give_back();
      takers = broker_.hand_out();
    }
    resume_all(std::move(takers));
  }

  Task<std::vector<Delivery>> take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) override {
    TakeWaiter waiter{{}, mutations_max, bytes_max, deadline, {}};
    Take take{*this, waiter};
    co_await take;
    co_return std::move(waiter.taken);
  }

  void reply(const std::string& reply_to, std::vector<Reply> replies) override {
    if (reply_to.empty() || replies.empty()) return;
    std::shared_ptr<Mailbox> mailbox;
    {
      const MutexLock lock(broker_.mutex);
      const auto found = broker_.mailboxes.find(reply_to);
      if (found == broker_.mailboxes.end() || Broker::spend(broker_.lost_replies)) return;
      mailbox = found->second;
    }
    const MutexLock lock(mailbox->mutex);
    if (mailbox->sink != nullptr) mailbox->sink->on_replies(replies);
  }

  void acknowledge(std::span<const std::uint64_t> ids) override {
    const MutexLock lock(broker_.mutex);
    for (const std::uint64_t id : ids) unacknowledged_.erase(id);
  }

  Task<Result<void>> set_aside(const Mutation& mutation, DeadReason reason, std::string detail,
                               Deadline deadline) override {
    const MutexLock lock(broker_.mutex);
    if (deadline.expired(broker_.time.now())) {
      return Task<Result<void>>(fail(ErrorCode::deadline_exceeded, "too late to set aside"));
    }
    if (Broker::spend(broker_.refused_letters)) {
      return Task<Result<void>>(fail(ErrorCode::unavailable, "dead letters are refused"));
    }
    broker_.dead(to_string(reason), std::move(detail), encode_message({&mutation, 1}));
    return Task<Result<void>>(Result<void>());
  }

  void release() override {
    std::vector<Suspended> takers;
    {
      const MutexLock lock(broker_.mutex);
      released_ = true;
      give_back();
      takers = broker_.hand_out();
    }
    resume_all(std::move(takers));
  }

  void resume() override {
    std::vector<Suspended> takers;
    {
      const MutexLock lock(broker_.mutex);
      released_ = false;
      takers = broker_.hand_out();
    }
    resume_all(std::move(takers));
  }

  [[nodiscard]] std::uint64_t depth() const noexcept override {
    const MutexLock lock(broker_.mutex);
    return broker_.ready.size();
  }

  [[nodiscard]] QueueHealth health() const override {
    const MutexLock lock(broker_.mutex);
    if (closed_) return {false, "closed"};
    if (released_) return {false, "released"};
    return {true, "in memory"};
  }

  void close() override {
    std::vector<Suspended> ended;
    {
      const MutexLock lock(broker_.mutex);
      closed_ = true;
      end_waiting(ended, [](const TakeWaiter&) { return true; });
    }
    resume_all(std::move(ended));
  }

  // All below: under the broker's lock.
  template <class Which>
  void end_waiting(std::vector<Suspended>& resumed, Which which) {
    std::erase_if(waiting_, [&](TakeWaiter* waiter) {
      if (!which(*waiter)) return false;
      resumed.push_back(waiter->suspended);
      return true;
    });
  }

  // One message to the longest-waiting take; its coroutine goes on when all is handed out.
  bool serve_one(std::vector<Suspended>& resumed) {
    broker_.mutex.assert_held();
    if (waiting_.empty() || !may_take()) return false;
    TakeWaiter& waiter = *waiting_.front();
    fill(waiter);
    if (waiter.taken.empty()) return false;
    resumed.push_back(waiter.suspended);
    waiting_.erase(waiting_.begin());
    return true;
  }

 private:
  struct Take {
    Consumer& consumer;
    TakeWaiter& waiter;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> handle) {
      waiter.suspended = {&handle.promise().executor(), handle};
      return consumer.wait(waiter);
    }
    void await_resume() const noexcept {}
  };

  bool wait(TakeWaiter& waiter) {
    const MutexLock lock(broker_.mutex);
    if (closed_) return false;
    if (may_take()) fill(waiter);
    if (!waiter.taken.empty() || waiter.deadline.expired(broker_.time.now())) return false;
    waiting_.push_back(&waiter);
    return true;
  }

  [[nodiscard]] bool may_take() const REQUIRES(broker_.mutex) { return !closed_ && !released_ && !broker_.deliveries_held; }

  void fill(TakeWaiter& waiter) REQUIRES(broker_.mutex) {
    std::size_t mutations = 0;
    std::size_t bytes = 0;
    while (!broker_.ready.empty()) {
      Message& next = broker_.ready.front();
      auto decoded = decode_message(next.body);
      if (!decoded) {
        broker_.dead(to_string(DeadReason::undecodable), decoded.error().message, std::move(next.body));
        broker_.ready.pop_front();
        continue;
      }
      const bool fits =
          mutations + decoded->size() <= waiter.mutations_max && bytes + next.body.size() <= waiter.bytes_max;
      if (!waiter.taken.empty() && !fits) return;
      mutations += decoded->size();
      bytes += next.body.size();
      const bool again = next.deliveries++ > 0;
      waiter.taken.push_back({++broker_.deliveries, std::move(*decoded), next.reply_to, again});
      unacknowledged_.emplace(waiter.taken.back().id, std::move(next));
      broker_.ready.pop_front();
    }
  }

  // To the front, in the order in which they were delivered.
  void give_back() REQUIRES(broker_.mutex) {
    for (auto& [number, message] : std::views::reverse(unacknowledged_)) {
      if (message.deliveries > broker_.options.delivery_limit) {
        broker_.dead(to_string(DeadReason::expired), "", std::move(message.body));
      } else {
        broker_.ready.push_front(std::move(message));
      }
    }
    unacknowledged_.clear();
  }

  Broker& broker_;
  // under the broker's lock
  std::map<std::uint64_t, Message> unacknowledged_;  // by delivery id
  std::vector<TakeWaiter*> waiting_;
  bool released_ = false;
  bool closed_ = false;
};

void MemoryQueue::Broker::dead(std::string_view reason, std::string detail, std::string body) {
  DeadLetter letter{0, std::string(reason), std::move(detail), time.wall_ms(), {}, std::move(body)};
  if (auto mutations = decode_message(letter.raw)) letter.mutations = std::move(*mutations);
  letters.push_back(std::move(letter));
}

std::vector<Suspended> MemoryQueue::Broker::hand_out() {
  std::vector<Suspended> resumed;
  bool progress = true;
  while (progress && !ready.empty()) {
    progress = false;
    for (Consumer* consumer : consumers) progress = consumer->serve_one(resumed) || progress;
  }
  return resumed;
}

class MemoryQueue::Letters final : public DeadLetterBox {
 public:
  explicit Letters(Broker& broker) : broker_(broker) {}

  Result<std::vector<DeadLetter>> list(std::size_t limit) override {
    const MutexLock lock(broker_.mutex);
    std::vector<DeadLetter> listed;
    for (std::size_t i = 0; i < std::min(limit, broker_.letters.size()); ++i) {
      listed.push_back(broker_.letters[i]);
      listed.back().number = i + 1;
    }
    return listed;
  }

  Result<void> replay(std::uint64_t number, std::optional<Version> stamp) override {
    std::vector<Suspended> takers;
    {
      const MutexLock lock(broker_.mutex);
      if (auto missing = check(number)) return fail(std::move(*missing));
      std::vector<Mutation> mutations = broker_.letters[number - 1].mutations;
      if (mutations.empty()) return fail(ErrorCode::precondition, "the letter does not parse and cannot be replayed");
      if (stamp) restamp(mutations, *stamp);
      for (const Mutation& mutation : mutations) broker_.enqueue({encode_message({&mutation, 1}), ""});
      broker_.letters.erase(broker_.letters.begin() + static_cast<std::ptrdiff_t>(number - 1));
      takers = broker_.hand_out();
    }
    resume_all(std::move(takers));
    return {};
  }

  Result<void> drop(std::uint64_t number) override {
    const MutexLock lock(broker_.mutex);
    if (auto missing = check(number)) return fail(std::move(*missing));
    broker_.letters.erase(broker_.letters.begin() + static_cast<std::ptrdiff_t>(number - 1));
    return {};
  }

 private:
  [[nodiscard]] std::optional<Error> check(std::uint64_t number) const REQUIRES(broker_.mutex) {
    if (number >= 1 && number <= broker_.letters.size()) return std::nullopt;
    return Error{ErrorCode::invalid_argument, "there is no dead letter " + std::to_string(number)};
  }

  Broker& broker_;
};

MemoryQueue::MemoryQueue(MemoryQueueOptions options, const TimeSource& time)
    : broker_(std::make_unique<Broker>(options, time)) {
  ARMAZEM_ASSERT(options.partitions >= 1);
}

MemoryQueue::~MemoryQueue() { ARMAZEM_ASSERT(broker_->publishers.empty() && broker_->consumers.empty()); }

std::unique_ptr<QueuePublisher> MemoryQueue::connect_publisher(ReplySink& sink) {
  return std::make_unique<Publisher>(*broker_, sink);
}
std::unique_ptr<QueueConsumer> MemoryQueue::connect_consumer() { return std::make_unique<Consumer>(*broker_); }
std::unique_ptr<DeadLetterBox> MemoryQueue::dead_letters() { return std::make_unique<Letters>(*broker_); }

void MemoryQueue::expire(MonotonicTime now) {
  std::vector<Suspended> ended;
  {
    const MutexLock lock(broker_->mutex);
    const auto late = [now](const auto& waiter) { return waiter.deadline.expired(now); };
    for (Publisher* publisher : broker_->publishers) {
      publisher->end_waiting(ended, late, fail(unknown("no confirm before the deadline")));
    }
    for (Consumer* consumer : broker_->consumers) consumer->end_waiting(ended, late);
  }
  resume_all(std::move(ended));
}

void MemoryQueue::refuse_publishes(std::size_t calls, Error error) {
  const MutexLock lock(broker_->mutex);
  broker_->refusals = calls;
  broker_->refusal = std::move(error);
}

void MemoryQueue::lose_confirms(std::size_t calls) {
  const MutexLock lock(broker_->mutex);
  broker_->lost_confirms = calls;
}

void MemoryQueue::hold_confirms() {
  const MutexLock lock(broker_->mutex);
  broker_->confirms_held = true;
}

void MemoryQueue::release_confirms() {
  std::vector<Suspended> confirmed;
  {
    const MutexLock lock(broker_->mutex);
    broker_->confirms_held = false;
    const auto all = [](const PublishWaiter&) { return true; };
    for (Publisher* publisher : broker_->publishers) publisher->end_waiting(confirmed, all, Result<void>());
  }
  resume_all(std::move(confirmed));
}

void MemoryQueue::hold_deliveries() {
  const MutexLock lock(broker_->mutex);
  broker_->deliveries_held = true;
}

void MemoryQueue::release_deliveries() {
  std::vector<Suspended> takers;
  {
    const MutexLock lock(broker_->mutex);
    broker_->deliveries_held = false;
    takers = broker_->hand_out();
  }
  resume_all(std::move(takers));
}

void MemoryQueue::lose_replies(std::size_t messages) {
  const MutexLock lock(broker_->mutex);
  broker_->lost_replies = messages;
}

void MemoryQueue::lose_reply_addresses() {
  std::vector<std::shared_ptr<Mailbox>> told;
  {
    const MutexLock lock(broker_->mutex);
    for (Publisher* publisher : broker_->publishers) told.push_back(publisher->move_address());
  }
  for (const auto& mailbox : told) {
    const MutexLock lock(mailbox->mutex);
    if (mailbox->sink != nullptr) mailbox->sink->on_replies_lost();
  }
}

void MemoryQueue::refuse_dead_letters(std::size_t calls) {
  const MutexLock lock(broker_->mutex);
  broker_->refused_letters = calls;
}

void MemoryQueue::inject(std::size_t partition, std::string body) {
  ARMAZEM_ASSERT(partition < broker_->options.partitions);
  std::vector<Suspended> takers;
  {
    const MutexLock lock(broker_->mutex);
    broker_->enqueue({std::move(body), ""});
    takers = broker_->hand_out();
  }
  resume_all(std::move(takers));
}

std::uint64_t MemoryQueue::depth() const {
  const MutexLock lock(broker_->mutex);
  return broker_->ready.size();
}

}  // namespace armazem
