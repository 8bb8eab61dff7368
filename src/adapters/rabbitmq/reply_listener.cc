#include "adapters/rabbitmq/reply_listener.h"

#include "adapters/message_codec.h"
#include "adapters/rabbitmq/amqp_text.h"
#include "runtime/log.h"

namespace armazem::rabbit {
namespace {

constexpr amqp_channel_t reply_channel = 1;
constexpr amqp_channel_t probe_channel = 2;
constexpr std::chrono::milliseconds turn_max{500};  // heartbeats must go out

}  // namespace

ReplyListener::ReplyListener(const Url& url, const RabbitmqOptions& options, ReplySink& sink, ReplyAddress& address,
                             Watchdog& watchdog, Counters& counters)
    : options_(options),
      sink_(sink),
      address_(address),
      counters_(counters),
      link_(url, options, "replies", *this, watchdog, counters) {}

void ReplyListener::on_down(const Error&) {
  // In this order: what is published after the call must not carry the old address.
  if (address_.clear() && !link_.stopping()) sink_.on_replies_lost();
}

Result<void> ReplyListener::serve(Connection& connection) {
  incoming_ = {};
  if (auto opened = connection.open_channel(reply_channel); !opened) return opened;
  auto queue = open_queue(connection);
  if (!queue) return fail(std::move(queue.error()));
  Probe probe({*queue}, options_);
  if (auto opened = probe.open(connection, probe_channel); !opened) return opened;
  link_.set_health(true, "replies come to " + connection.host());
  if (address_.set(*queue)) sink_.on_replies_lost();  // of what was published while there was no address
  while (!link_.stopping()) {
    if (auto read = read_frames(connection, probe); !read) return read;
    if (auto asked = probe.step(connection, MonotonicClock::now()); !asked) return asked;
    connection.wait(link_.wakeup(), turn_max, false);
  }
  connection.goodbye();
  return {};
}

Result<std::string> ReplyListener::open_queue(Connection& connection) {
  const auto guarded = connection.guard_rpc();
  const auto* const declared =
      amqp_queue_declare(connection.raw(), reply_channel, amqp_empty_bytes, 0, 0, 1, 1, amqp_empty_table);
  if (auto made = connection.rpc_result(reply_channel, "making a reply queue"); !made) {
    return fail(std::move(made.error()));
  }
  std::string queue = as_text(declared->queue);
  amqp_basic_consume(connection.raw(), reply_channel, as_bytes(queue), amqp_empty_bytes, 0, 1, 1, amqp_empty_table);
  if (auto consuming = connection.rpc_result(reply_channel, "consuming replies"); !consuming) {
    return fail(std::move(consuming.error()));
  }
  return queue;
}

Result<void> ReplyListener::read_frames(Connection& connection, Probe& probe) {
  while (true) {
    auto frame = connection.next_frame();
    if (!frame) return fail(std::move(frame.error()));
    if (!*frame) return {};
    if ((*frame)->channel == probe_channel) {
      if (auto look = probe.take(connection, **frame); !look) return fail(std::move(look.error()));
    } else if (auto taken = take_frame(**frame); !taken) {
      return taken;
    }
  }
}

Result<void> ReplyListener::take_frame(const amqp_frame_t& frame) {
  if (frame.frame_type == AMQP_FRAME_METHOD) {
    const amqp_method_number_t method = frame.payload.method.id;
    if (method == AMQP_CHANNEL_CLOSE_METHOD || method == AMQP_BASIC_CANCEL_METHOD) {
      return fail(ErrorCode::unavailable, "RabbitMQ: the reply queue is gone");
    }
  }
  auto message = incoming_.take(frame);
  if (!message) return fail(std::move(message.error()));
  if (!*message) return {};
  counters_.replies_received.add();
  auto replies = decode_replies((*message)->body);
  if (replies) {
    sink_.on_replies(*replies);
  } else {
    log::warn("queue: a reply does not parse", {{"why", replies.error().message}});
  }
  return {};
}

}  // namespace armazem::rabbit
