#include "adapters/rabbitmq/probe.h"

#include <algorithm>
#include <limits>

#include "adapters/rabbitmq/amqp_text.h"

namespace armazem::rabbit {
namespace {

// A queue without a leader refuses for a moment; one that stays so may answer on another connection.
constexpr int refusals_max = 5;

}  // namespace

Probe::Probe(std::vector<std::string> queues, const RabbitmqOptions& options, std::string aside)
    : queues_(std::move(queues)), aside_(std::move(aside)), options_(options) {}

Result<void> Probe::open(Connection& connection, amqp_channel_t channel) {
  channel_ = channel;
  refusals_ = 0;
  answers_missing_ = 0;
  asked_at_ = {};
  auto opened = connection.open_channel(channel);
  channel_open_ = opened.has_value();
  return opened;
}

Result<void> Probe::step(Connection& connection, MonotonicTime now) {
  if (answers_missing_ > 0) {
    if (now - asked_at_ < options_.rpc_timeout) return {};
    return fail(ErrorCode::unavailable, "RabbitMQ at " + connection.host() + ": no answer to a question about a queue");
  }
  if (now - asked_at_ < options_.probe_interval) return {};
  if (!channel_open_) {
    if (auto opened = connection.open_channel(channel_); !opened) return opened;
    channel_open_ = true;
  }
  asked_at_ = now;
  look_ = {0, std::numeric_limits<std::uint64_t>::max(), std::nullopt};
  for (const std::string& queue : queues_) {
    if (auto asked = ask(connection, queue); !asked) return asked;
  }
  // Last: answers come in the order of the questions, so a refusal of this one leaves nothing else open.
  if (!aside_.empty()) return ask(connection, aside_);
  return {};
}

Result<void> Probe::ask(Connection& connection, const std::string& queue) {
  amqp_queue_declare_t question{};
  question.queue = as_bytes(queue);
  question.passive = 1;
  const auto guarded = connection.guard();
  const int status = amqp_send_method(connection.raw(), channel_, AMQP_QUEUE_DECLARE_METHOD, &question);
  if (auto sent = connection.sent(status, "asking for a queue"); !sent) return sent;
  ++answers_missing_;
  return {};
}

Probe::Look Probe::end_round() {
  answers_missing_ = 0;
  refusals_ = 0;
  return look_;
}

Result<std::optional<Probe::Look>> Probe::take(Connection& connection, const amqp_frame_t& frame) {
  std::optional<Look> look;
  if (frame.frame_type != AMQP_FRAME_METHOD) return look;
  const amqp_method_t& method = frame.payload.method;
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_channel_close_t*>(method.decoded);
    const std::string why = close_text(close->reply_code, close->reply_text);
    channel_open_ = false;
    if (only_aside_missing()) {
      look = end_round();
      if (auto closed = connection.confirm_channel_close(channel_); !closed) return fail(std::move(closed.error()));
      return look;
    }
    answers_missing_ = 0;
    if (++refusals_ >= refusals_max) return fail(ErrorCode::unavailable, "RabbitMQ: " + why);
    if (auto closed = connection.confirm_channel_close(channel_); !closed) return fail(std::move(closed.error()));
  } else if (method.id == AMQP_QUEUE_DECLARE_OK_METHOD && answers_missing_ > 0) {
    const auto* const answer = static_cast<const amqp_queue_declare_ok_t*>(method.decoded);
    if (only_aside_missing()) {
      look_.aside = answer->message_count;
    } else {
      look_.messages += answer->message_count;
      look_.consumers_fewest = std::min<std::uint64_t>(look_.consumers_fewest, answer->consumer_count);
    }
    if (--answers_missing_ == 0) look = end_round();
  }
  return look;
}

}  // namespace armazem::rabbit
