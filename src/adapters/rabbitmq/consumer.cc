#include "adapters/rabbitmq/consumer.h"

#include <algorithm>
#include <random>
#include <span>

#include "adapters/message_codec.h"
#include "adapters/rabbitmq/amqp_text.h"
#include "adapters/rabbitmq/topology.h"
#include "runtime/log.h"

namespace armazem::rabbit {
namespace {

constexpr amqp_channel_t probe_channel = 1;
constexpr amqp_channel_t last_channel = 2'000;
constexpr std::chrono::milliseconds turn_max{500};       // heartbeats must go out
constexpr std::chrono::milliseconds subscribe_pause{300};
constexpr int quiet_looks_max = 3;
constexpr std::size_t arrivals_max = 256;                // handed over at once, so that no burst starves the callers

std::vector<std::string> partition_queues(const RabbitmqOptions& options) {
  std::vector<std::string> queues;
  queues.reserve(options.partitions);
  for (std::size_t p = 0; p < options.partitions; ++p) queues.push_back(partition_queue(options, p));
  return queues;
}

// Never used twice: with tags used again, some versions of RabbitMQ stop delivering (3.12.4, 3.12.5).
std::string fresh_tag() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return "armazem-" + std::to_string(random()) + "-" + std::to_string(random());
}

std::uint64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

Consumer::Consumer(const Url& url, const RabbitmqOptions& options)
    : options_(options),
      sender_(std::make_unique<Sender>(url, options, "worker-out", nullptr, watchdog_, counters_)),
      link_(url, options, "worker", *this, watchdog_, counters_),
      undecodables_(std::make_unique<Undecodables>(*sender_, inbox_, link_.wakeup(), options)),
      watchdog_([this](MonotonicTime now) {
        inbox_.expire(now);
        sender_->expire(now);
        undecodables_->retry(now);
      }),
      probe_(partition_queues(options), options, dead_queue(options)) {
  sender_->start();
  link_.start();
}

Consumer::~Consumer() {
  close();
  watchdog_.cut_all_at(MonotonicClock::now() + options_.close_timeout + farewell_max);
  sender_->request_stop();
  link_.stop();
  sender_->stop();
  watchdog_.stop();
}

Task<std::vector<Delivery>> Consumer::take(std::size_t mutations_max, std::size_t bytes_max, Deadline deadline) {
  return inbox_.take(mutations_max, bytes_max, deadline);
}

void Consumer::reply(const std::string& reply_to, std::vector<Reply> replies) {
  if (reply_to.empty()) return;
  std::span<const Reply> left(replies);
  while (!left.empty()) {
    const auto some = left.first(std::min(left.size(), replies_max));
    left = left.subspan(some.size());
    if (!sender_->send_unconfirmed({reply_to, encode_replies(some), false, "", "", 0})) counters_.replies_dropped.add();
  }
}

void Consumer::acknowledge(std::span<const std::uint64_t> ids) {
  if (inbox_.acknowledge(ids)) link_.wakeup().signal();
}

Task<Result<void>> Consumer::set_aside(const Mutation& mutation, DeadReason reason, std::string detail,
                                       Deadline deadline) {
  Outgoing message{dead_queue(options_),
                   encode_message({&mutation, 1}),
                   false,
                   std::string(to_string(reason)),
                   std::move(detail),
                   wall_ms()};
  auto confirmed = co_await sender_->send(std::move(message), deadline);
  if (confirmed) counters_.set_aside.add();
  co_return confirmed;
}

void Consumer::release() {
  inbox_.release();
  link_.wakeup().signal();
}

void Consumer::resume() {
  inbox_.resume();
  link_.wakeup().signal();
}

void Consumer::close() {
  inbox_.close();
  link_.wakeup().signal();
}

QueueHealth Consumer::health() const {
  if (inbox_.closed()) return {false, "closed"};
  if (inbox_.released()) return {false, "released"};
  QueueHealth in = link_.health();
  if (!in.ok) return in;
  QueueHealth out = sender_->health();
  return out.ok ? in : QueueHealth{false, "replies and dead letters: " + out.detail};
}

void Consumer::on_down(const Error&) {
  inbox_.end();
  subscribed_ = false;
  to_acknowledge_.clear();
}

Result<void> Consumer::serve(Connection& connection) {
  channel_ = probe_channel;
  subscribed_ = false;
  subscribe_at_ = {};
  undecodable_.clear();
  link_.set_health(false, "subscribing at " + connection.host());
  if (auto opened = probe_.open(connection, probe_channel); !opened) return opened;
  const auto turn = std::min(turn_max, std::max(options_.probe_interval / 2, std::chrono::milliseconds(10)));
  while (true) {
    const bool last = link_.stopping();  // asked first, so that what was acknowledged before is sent
    if (auto obeyed = obey(connection); !obeyed) return obeyed;
    if (last) break;
    if (auto read = read_frames(connection); !read) return read;
    if (auto asked = probe_.step(connection, MonotonicClock::now()); !asked) return asked;
    connection.wait(link_.wakeup(), to_acknowledge_.empty() ? turn : std::min(turn, options_.ack_delay), false);
  }
  connection.goodbye();
  return {};
}

Result<void> Consumer::obey(Connection& connection) {
  Orders orders = inbox_.take_orders();
  if (subscribed_) {
    if (to_acknowledge_.empty()) acknowledge_at_ = MonotonicClock::now() + options_.ack_delay;
    to_acknowledge_.insert(to_acknowledge_.end(), orders.acknowledge.begin(), orders.acknowledge.end());
    const bool now = to_acknowledge_.size() >= options_.prefetch / 4 || MonotonicClock::now() >= acknowledge_at_ ||
                     orders.unsubscribe || orders.stop_delivering || !orders.give_back.empty() || link_.stopping();
    if (now) {
      if (auto sent = acknowledge_tags(connection, std::exchange(to_acknowledge_, {})); !sent) return sent;
    }
    if (auto sent = give_back_tags(connection, orders.give_back); !sent) return sent;
  }
  if (orders.unsubscribe) {
    if (auto left = unsubscribe(connection, "released"); !left) return left;
  }
  if (orders.stop_delivering && subscribed_ && !cancelled_) return cancel(connection);
  const bool due = orders.subscribe && !subscribed_ && MonotonicClock::now() >= subscribe_at_;
  return due ? subscribe(connection) : Result<void>();
}

Result<void> Consumer::acknowledge_tags(Connection& connection, std::vector<std::uint64_t> tags) {
  if (tags.empty()) return {};
  counters_.acknowledged.add(tags.size());
  for (const Ack& ack : open_.settle(std::move(tags))) {
    const auto guarded = connection.guard();
    const int status = amqp_basic_ack(connection.raw(), channel_, ack.tag, ack.multiple ? 1 : 0);
    if (auto sent = connection.sent(status, "acknowledging"); !sent) return sent;
  }
  return {};
}

// Only of a consumer that is closing: for anything else the channel is closed.
Result<void> Consumer::give_back_tags(Connection& connection, const std::vector<std::uint64_t>& tags) {
  for (const std::uint64_t tag : tags) {
    if (open_.settle({tag}).empty()) continue;
    const auto guarded = connection.guard();
    const int status = amqp_basic_nack(connection.raw(), channel_, tag, 0, 1);
    if (auto sent = connection.sent(status, "giving back"); !sent) return sent;
  }
  return {};
}

Result<void> Consumer::cancel(Connection& connection) {
  cancelled_ = true;
  for (const std::string& tag : tags_) {
    amqp_basic_cancel_t request{as_bytes(tag), 1};
    const auto guarded = connection.guard();
    const int status = amqp_send_method(connection.raw(), channel_, AMQP_BASIC_CANCEL_METHOD, &request);
    if (auto sent = connection.sent(status, "cancelling"); !sent) return sent;
  }
  return {};
}

Result<void> Consumer::subscribe(Connection& connection) {
  channel_ = channel_ >= last_channel ? probe_channel + 1 : static_cast<amqp_channel_t>(channel_ + 1);
  incoming_ = {};
  open_.clear();
  to_acknowledge_.clear();
  tags_.clear();
  quiet_looks_ = 0;
  if (auto opened = connection.open_channel(channel_); !opened) return opened;
  auto started = start_consuming(connection);
  if (!started) {
    if (connection.close_code() == 0) return started;
    // A queue is missing, or has no leader now: this connection is good, and so is another try.
    link_.set_health(false, started.error().message);
    subscribe_at_ = MonotonicClock::now() + subscribe_pause;
    return {};
  }
  subscribed_ = true;
  cancelled_ = false;
  subscription_ = inbox_.begin();
  link_.set_health(true, "consuming at " + connection.host());
  return {};
}

Result<void> Consumer::start_consuming(Connection& connection) {
  const auto guarded = connection.guard_rpc();
  // The bound holds for each consumer of the channel, and there is one per partition.
  const std::size_t share = std::max<std::size_t>(1, options_.prefetch / options_.partitions);
  amqp_basic_qos(connection.raw(), channel_, 0, static_cast<std::uint16_t>(share), 0);
  if (auto bounded = connection.rpc_result(channel_, "basic.qos"); !bounded) return bounded;
  for (const std::string& queue : partition_queues(options_)) {
    tags_.push_back(fresh_tag());
    amqp_basic_consume(connection.raw(), channel_, as_bytes(queue), as_bytes(tags_.back()), 0, 0, 0, amqp_empty_table);
    auto consuming = connection.rpc_result(channel_, "consuming queue " + queue);
    if (!consuming) return consuming;
  }
  return {};
}

// Closing the channel gives everything back. The answer is not waited for: the next subscription has another channel.
Result<void> Consumer::unsubscribe(Connection& connection, const std::string& why) {
  inbox_.end();
  if (!subscribed_) return {};
  subscribed_ = false;
  open_.clear();
  to_acknowledge_.clear();
  link_.set_health(false, why);
  amqp_channel_close_t request{AMQP_REPLY_SUCCESS, as_bytes(why), 0, 0};
  const auto guarded = connection.guard();
  const int status = amqp_send_method(connection.raw(), channel_, AMQP_CHANNEL_CLOSE_METHOD, &request);
  return connection.sent(status, "closing a channel");
}

Result<void> Consumer::read_frames(Connection& connection) {
  std::vector<Arrival> arrivals;
  while (true) {
    auto frame = connection.next_frame();
    if (!frame) return fail(std::move(frame.error()));
    if (!*frame) break;
    if ((*frame)->channel == probe_channel) {
      auto look = probe_.take(connection, **frame);
      if (!look) return fail(std::move(look.error()));
      if (*look) {
        if (auto judged = judge(connection, **look); !judged) return judged;
      }
    } else if ((*frame)->channel == channel_ && subscribed_) {
      if (auto taken = take_frame(connection, **frame, arrivals); !taken) return taken;
    }
    if (arrivals.size() >= arrivals_max) {
      hand_over(std::exchange(arrivals, {}));
      if (auto obeyed = obey(connection); !obeyed) return obeyed;
    }
  }
  hand_over(std::move(arrivals));
  return {};
}

Result<void> Consumer::take_frame(Connection& connection, const amqp_frame_t& frame, std::vector<Arrival>& arrivals) {
  if (frame.frame_type == AMQP_FRAME_METHOD) {
    const amqp_method_t& method = frame.payload.method;
    if (method.id == AMQP_CHANNEL_CLOSE_METHOD || method.id == AMQP_BASIC_CANCEL_METHOD) {
      return subscription_lost(connection, method);
    }
  }
  auto message = incoming_.take(frame);
  if (!message) return fail(std::move(message.error()));
  if (*message) take_message(std::move(**message), arrivals);
  return {};
}

// The broker closed the channel (an acknowledgement that took too long, say), or a queue went away under the consumer.
Result<void> Consumer::subscription_lost(Connection& connection, const amqp_method_t& method) {
  subscribe_at_ = MonotonicClock::now() + subscribe_pause;
  if (method.id == AMQP_BASIC_CANCEL_METHOD) return unsubscribe(connection, "the broker cancelled the consumer");
  const auto* const close = static_cast<const amqp_channel_close_t*>(method.decoded);
  const std::string why = "the broker closed the channel: " + close_text(close->reply_code, close->reply_text);
  log::warn("queue: subscription lost", {{"host", connection.host()}, {"why", why}});
  inbox_.end();
  subscribed_ = false;
  open_.clear();
  to_acknowledge_.clear();
  link_.set_health(false, why);
  return connection.confirm_channel_close(channel_);
}

void Consumer::take_message(IncomingMessage message, std::vector<Arrival>& arrivals) {
  counters_.deliveries.add();
  if (message.redelivered) counters_.redelivered.add();
  ++arrived_;
  open_.delivered(message.delivery_tag);
  Arrival arrival{message.delivery_tag, {0, {}, std::move(message.reply_to), message.redelivered}, message.body.size()};
  auto mutations = decode_message(message.body);
  if (mutations) {
    arrival.delivery.mutations = std::move(*mutations);
  } else {
    undecodable_.push_back({message.delivery_tag, std::move(message.body), mutations.error().message});
  }
  arrivals.push_back(std::move(arrival));
}

void Consumer::hand_over(std::vector<Arrival> arrivals) {
  if (arrivals.empty()) return;
  const auto base = inbox_.arrived(subscription_, std::move(arrivals));
  for (Undecodable& one : std::exchange(undecodable_, {})) {
    if (!base) continue;  // taken back already; it will come again
    counters_.undecodable.add();
    log::warn("queue: a message does not parse and is set aside", {{"why", one.why}, {"bytes", one.body.size()}});
    undecodables_->add(*base + one.tag, std::move(one.body), std::move(one.why));
  }
}

// A subscription that the broker has lost without a word shows by messages that wait while none comes.
Result<void> Consumer::judge(Connection& connection, const Probe::Look& look) {
  depth_.store(look.messages, std::memory_order_relaxed);
  if (look.aside) dead_letters_.store(*look.aside, std::memory_order_relaxed);
  const bool nothing_came = arrived_ == arrived_at_last_look_;
  arrived_at_last_look_ = arrived_;
  const bool suspicious = look.consumers_fewest == 0 || (look.messages > 0 && nothing_came && open_.empty());
  quiet_looks_ = suspicious && subscribed_ && !cancelled_ ? quiet_looks_ + 1 : 0;
  if (quiet_looks_ < quiet_looks_max) return {};
  log::warn("queue: messages wait and none comes; subscribing anew", {{"host", connection.host()}});
  quiet_looks_ = 0;
  return unsubscribe(connection, "messages wait and none comes");
}

}  // namespace armazem::rabbit
