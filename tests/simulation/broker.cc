#include "simulation/broker.h"

#include <algorithm>
#include <utility>

#include "adapters/message_codec.h"
#include "core/planted.h"

namespace armazem::sim {

// ---- the broker

void Broker::take_in(std::size_t partition, Message message) {
  Queue& queue = queues[partition];
  if (Link::spend(duplicates)) {
    world_.count(Seen::queue_duplicate);
    Message copy = message;
    world_.after(world_.random.spread(100, 400'000), nullptr, [this, partition, copy] {
      queues[partition].ready.push_back(copy);
      hand_out();
    });
  }
  if (Link::spend(reorders)) {
    world_.count(Seen::queue_reordered);
    // Some come so late that a short retention is over.
    const Microseconds late = world_.random.chance(15) ? world_.random.between(2'000'000, 3'000'000) : world_.random.spread(100, 300'000);
    ++held_up;
    world_.after(late, nullptr, [this, partition, message] {
      --held_up;
      queues[partition].ready.push_back(message);
      hand_out();
    });
    return;
  }
  queue.ready.push_back(std::move(message));
  hand_out();
}

void Broker::hand_out() {
  for (std::size_t partition = 0; partition < queues.size(); ++partition) {
    Queue& queue = queues[partition];
    if (world_.now() < queue.leaderless_until) continue;
    while (!queue.ready.empty()) {
      SimConsumer* taker = nullptr;
      for (std::size_t tried = 0; tried < consumers.size() && taker == nullptr; ++tried) {
        SimConsumer* const next = consumers[next_consumer_++ % consumers.size()];
        if (next->wants()) taker = next;
      }
      if (taker == nullptr) break;
      Message message = std::move(queue.ready.front());
      queue.ready.pop_front();
      taker->deliver(partition, std::move(message));
    }
  }
}

void Broker::fail_over(std::size_t partition, Microseconds span) {
  queues[partition].leaderless_until = world_.now() + span;
  for (SimConsumer* consumer : consumers) consumer->give_back(partition);
  world_.after(span, nullptr, [this] { hand_out(); });
}

std::size_t Broker::depth() const {
  std::size_t depth = held_up;
  for (const Queue& queue : queues) depth += queue.ready.size();
  for (const SimConsumer* consumer : consumers) depth += consumer->unacknowledged();
  return depth;
}

// ---- publishing

SimPublisher::SimPublisher(Broker& broker, World& world, Process& process)
    : link{world}, broker_(broker), world_(world), process_(process), address_(broker.next_id()) {
  broker_.publishers.push_back(this);
}

Task<Result<void>> SimPublisher::publish(std::size_t partition, std::span<const Mutation> mutations, Deadline deadline) {
  std::string body = encode_message(mutations);
  if (world_.now() < down_until_) co_return fail(ErrorCode::unavailable, "the queue is not connected");
  if (world_.now() < broker_.blocked_until) co_return fail(ErrorCode::unavailable, "the queue takes no messages");
  auto& confirm = *new Confirm(world_, process_);
  unconfirmed_.push_back(&confirm);
  world_.schedule(World::since_begin(deadline.time()), nullptr,
                  [&confirm] { confirm.finish(fail(ErrorCode::outcome_unknown, "no confirm before the deadline")); });
  const auto arrived = [this, partition, body = std::move(body), reply_to = address_, &confirm]() mutable {
    arrive(partition, std::move(body), reply_to, confirm);
  };
  if (!link.is_cut()) world_.after(link.delay(), nullptr, arrived);
  Result<void> result = co_await confirm;
  std::erase(unconfirmed_, &confirm);
  co_return result;
}

void SimPublisher::arrive(std::size_t partition, std::string body, std::uint64_t reply_to, Confirm& confirm) {
  Broker::Queue& queue = broker_.queues[partition];
  // What the broker has not read, or had not copied to a quorum, is gone with the connection, the leader or by the alarm.
  if (world_.now() < broker_.blocked_until) return;
  if (Link::spend(broker_.lost_publishes)) {
    world_.count(Seen::queue_publish_lost);
    return;
  }
  const auto answer = [this, &confirm](Microseconds after, Result<void> result) {
    world_.after(after + link.delay(), nullptr, [&confirm, result = std::move(result)] { confirm.finish(result); });
  };
  if (world_.now() < queue.missing_until) {
    world_.count(Seen::queue_unroutable);
    // Confirmed all the same, but returned before it when it was published as mandatory.
    Result<void> returned = fail(ErrorCode::unavailable, "the queue does not exist");
    if (planted(Bug::publish_not_mandatory)) returned = Result<void>();
    return answer(0, std::move(returned));
  }
  const bool nacked = Link::spend(broker_.nacks);
  if (nacked) world_.count(Seen::queue_nack);
  // A nack says nothing about whether it is there.
  if (!nacked || world_.random.chance(30)) {
    Broker::Message message{broker_.next_id(), std::move(body), reply_to, 0};
    const Microseconds wait = world_.now() < queue.leaderless_until ? queue.leaderless_until - world_.now() : 0;
    world_.after(wait + world_.random.below(200), nullptr,
                 [this, partition, message = std::move(message)]() mutable { broker_.take_in(partition, std::move(message)); });
    if (Link::spend(broker_.lost_confirms)) {
      world_.count(Seen::queue_confirm_lost);
      return;
    }
    if (!nacked) return answer(wait + world_.random.between(200, 1'500), Result<void>());
  }
  Result<void> refused = fail(ErrorCode::outcome_unknown, "the broker could not take responsibility for the message");
  if (planted(Bug::ignore_nacks)) refused = Result<void>();
  answer(0, std::move(refused));
}

void SimPublisher::lose_connection(Microseconds down_for) {
  down_until_ = world_.now() + down_for;
  address_ = broker_.next_id();
  world_.after(0, &process_, [this] {
    for (Confirm* confirm : unconfirmed_) confirm->finish(fail(ErrorCode::outcome_unknown, "no confirm: connection lost"));
    sink_->on_replies_lost();
  });
}

void SimPublisher::disconnect() { std::erase(broker_.publishers, this); }

void SimPublisher::on_reply(std::uint64_t address, std::vector<Reply> replies) {
  if (address == address_) sink_->on_replies(replies);
}

// ---- consuming

SimConsumer::SimConsumer(Broker& broker, World& world, Process& process, std::size_t prefetch)
    : link{world}, broker_(broker), world_(world), process_(process), prefetch_(prefetch) {
  broker_.consumers.push_back(this);
  world_.after(0, nullptr, [this] { broker_.hand_out(); });
}

bool SimConsumer::wants() const noexcept {
  return !released_ && !closed_ && !gone_ && world_.now() >= down_until_ && unacknowledged_.size() < prefetch_;
}

void SimConsumer::deliver(std::size_t partition, Broker::Message message) {
  const std::uint64_t id = broker_.next_id();
  unacknowledged_.push_back({id, partition, std::move(message)});
  world_.after(link.delay(), &process_, [this, id] { arrive(id); });
}

void SimConsumer::arrive(std::uint64_t id) {
  const auto held = std::ranges::find(unacknowledged_, id, &Held::id);
  if (held == unacknowledged_.end()) return;  // taken back meanwhile
  const bool again = held->message.deliveries++ > 0;
  if (again) world_.count(Seen::redelivered);
  auto mutations = decode_message(held->message.body);
  ARMAZEM_ASSERT(mutations.has_value());
  inbox_.push_back({id, std::move(*mutations), std::to_string(held->message.reply_to), again});
  if (waiting_.empty()) return;
  Wake* const wake = waiting_.front();
  waiting_.erase(waiting_.begin());
  wake->finish(Result<void>());
}

Task<std::vector<Delivery>> SimConsumer::take(std::size_t mutations_max, std::size_t, Deadline deadline) {
  if (inbox_.empty() && !closed_) {
    auto& wake = *new Wake(world_, process_);
    waiting_.push_back(&wake);
    world_.schedule(World::since_begin(deadline.time()), nullptr, [&wake] { wake.finish(fail(ErrorCode::deadline_exceeded, "")); });
    const Result<void> woken = co_await wake;
    if (!woken) std::erase(waiting_, &wake);
  }
  std::vector<Delivery> taken;
  std::size_t mutations = 0;
  while (!inbox_.empty() && !closed_) {
    mutations += inbox_.front().mutations.size();
    if (!taken.empty() && mutations > mutations_max) break;
    taken.push_back(std::move(inbox_.front()));
    inbox_.erase(inbox_.begin());
  }
  co_return taken;
}

void SimConsumer::reply(const std::string& reply_to, std::vector<Reply> replies) {
  const std::uint64_t address = std::stoull(reply_to);
  if (Link::spend(broker_.lost_replies)) {
    world_.count(Seen::queue_reply_lost);
    return;
  }
  if (link.is_cut() || world_.now() < down_until_) return;
  auto body = decode_replies(encode_replies(replies));
  ARMAZEM_ASSERT(body.has_value());
  world_.after(link.delay(), nullptr, [this, address, body = std::move(*body)] {
    for (SimPublisher* publisher : broker_.publishers) {
      if (publisher->address() != address) continue;
      world_.after(publisher->link.delay(), &publisher->process(), [publisher, address, body] { publisher->on_reply(address, body); });
    }
  });
}

// The adapter lets acknowledgements wait for others, so a crash soon after loses some.
void SimConsumer::acknowledge(std::span<const std::uint64_t> ids) {
  std::vector<std::uint64_t> all(ids.begin(), ids.end());
  world_.after(world_.random.below(25'000), &process_, [this, all = std::move(all), connection = connection_] {
    if (link.is_cut()) return;
    world_.after(link.delay(), nullptr, [this, all, connection] {
      if (connection != connection_) return;
      std::erase_if(unacknowledged_, [&](const Held& held) { return std::ranges::find(all, held.id) != all.end(); });
      broker_.hand_out();
    });
  });
}

Task<Result<void>> SimConsumer::set_aside(const Mutation& mutation, DeadReason reason, std::string, Deadline deadline) {
  auto& done = *new Wake(world_, process_);
  world_.schedule(World::since_begin(deadline.time()), nullptr, [&done] { done.finish(fail(ErrorCode::outcome_unknown, "no confirm")); });
  if (!link.is_cut()) {
    world_.after(link.delay(), nullptr, [this, &done, letter = Broker::Letter{mutation, reason}] {
      broker_.letters.push_back(letter);
      world_.count(Seen::set_aside);
      world_.after(link.delay(), nullptr, [&done] { done.finish(Result<void>()); });
    });
  }
  co_return co_await done;
}

void SimConsumer::give_back(std::optional<std::size_t> partition) {
  for (auto held = unacknowledged_.rbegin(); held != unacknowledged_.rend(); ++held) {
    if (partition && held->partition != *partition) continue;
    held->message.deliveries = std::max(held->message.deliveries, 1U);
    broker_.queues[held->partition].ready.push_front(held->message);
  }
  std::erase_if(unacknowledged_, [&](const Held& held) { return !partition || held.partition == *partition; });
  world_.after(world_.random.below(500), nullptr, [this] { broker_.hand_out(); });
}

void SimConsumer::release() {
  world_.count(Seen::released);
  released_ = true;
  inbox_.clear();
  give_back(std::nullopt);
}

void SimConsumer::resume() {
  released_ = false;
  world_.after(link.delay(), nullptr, [this] { broker_.hand_out(); });
}

std::uint64_t SimConsumer::depth() const noexcept {
  std::size_t depth = 0;
  for (const Broker::Queue& queue : broker_.queues) depth += queue.ready.size();
  return depth;
}

void SimConsumer::close() {
  closed_ = true;
  for (Wake* wake : waiting_) wake->finish(Result<void>());
  waiting_.clear();
}

void SimConsumer::lose_connection(Microseconds down_for) {
  ++connection_;
  down_until_ = world_.now() + down_for;
  give_back(std::nullopt);
  // What came over the new connection meanwhile stays.
  world_.after(0, &process_, [this] {
    std::erase_if(inbox_, [this](const Delivery& delivery) {
      return std::ranges::find(unacknowledged_, delivery.id, &Held::id) == unacknowledged_.end();
    });
  });
  world_.after(down_for, nullptr, [this] { broker_.hand_out(); });
}

void SimConsumer::disconnect() {
  gone_ = true;
  std::erase(broker_.consumers, this);
  give_back(std::nullopt);
}

}  // namespace armazem::sim
