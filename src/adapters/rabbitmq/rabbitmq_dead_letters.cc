#include "adapters/rabbitmq/rabbitmq_dead_letters.h"

#include <algorithm>

#include "adapters/message_codec.h"
#include "adapters/rabbitmq/amqp_text.h"
#include "adapters/rabbitmq/incoming.h"
#include "adapters/rabbitmq/topology.h"
#include "adapters/restamp.h"
#include "core/partition.h"

namespace armazem::rabbit {
namespace {

constexpr amqp_channel_t letters_channel = 1;
constexpr amqp_channel_t publish_channel = 2;

struct Taken {
  DeadLetter letter;
  std::uint64_t tag = 0;
};

// "delivery_limit" is the broker's spelling.
std::string reason_of_broker(std::string reason) {
  std::ranges::replace(reason, '_', '-');
  return reason;
}

void read_headers(const amqp_basic_properties_t& properties, DeadLetter& letter) {
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return;
  std::string of_broker;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const amqp_table_entry_t& entry = properties.headers.entries[i];
    const std::string name = as_text(entry.key);
    const bool is_text = entry.value.kind == AMQP_FIELD_KIND_UTF8;
    if (name == "x-armazem-reason" && is_text) letter.reason = as_text(entry.value.value.bytes);
    if (name == "x-armazem-detail" && is_text) letter.detail = as_text(entry.value.value.bytes);
    if (name == "x-first-death-reason" && is_text) of_broker = as_text(entry.value.value.bytes);
    if (name == "x-armazem-time" && entry.value.kind == AMQP_FIELD_KIND_I64) {
      letter.set_aside_at_ms = static_cast<std::uint64_t>(entry.value.value.i64);
    }
  }
  if (letter.reason.empty()) letter.reason = reason_of_broker(of_broker);
}

// One call on the letters: a connection, with a watchdog because each step of it blocks.
class Session {
 public:
  explicit Session(const RabbitmqOptions& options) : options_(options) {}

  Result<void> open() {
    auto connection = connect_once(options_, "dead-letters", watchdog_);
    if (!connection) return fail(std::move(connection.error()));
    connection_ = std::move(*connection);
    return connection_->open_channel(letters_channel);
  }

  // Takes the first `count` letters, without acknowledging them: all are given back when the session ends.
  Result<std::vector<Taken>> take(std::size_t count) {
    std::vector<Taken> taken;
    while (taken.size() < count) {
      auto next = take_one();
      if (!next) return fail(std::move(next.error()));
      if (!*next) break;
      (*next)->letter.number = taken.size() + 1;
      taken.push_back(std::move(**next));
    }
    return taken;
  }

  Result<Taken> take_number(std::uint64_t number) {
    auto taken = take(number);
    if (!taken) return fail(std::move(taken.error()));
    if (number >= 1 && taken->size() == number) return std::move(taken->back());
    return fail(ErrorCode::invalid_argument, "there is no dead letter " + std::to_string(number));
  }

  // Published, confirmed and routed.
  Result<void> publish(const Mutation& mutation) {
    const std::string queue = partition_queue(options_, partition_of(mutation.key.text(), options_.partitions));
    const std::string body = encode_message({&mutation, 1});
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
    {
      const auto guarded = connection_->guard();
      const int status = amqp_basic_publish(connection_->raw(), publish_channel, amqp_empty_bytes, as_bytes(queue), 1,
                                            0, &properties, as_bytes(body));
      if (auto sent = connection_->sent(status, "publishing"); !sent) return sent;
    }
    return wait_for_confirm(queue);
  }

  Result<void> open_for_publishing() {
    if (auto opened = connection_->open_channel(publish_channel); !opened) return opened;
    const auto guarded = connection_->guard_rpc();
    amqp_confirm_select(connection_->raw(), publish_channel);
    return connection_->rpc_result(publish_channel, "confirm.select");
  }

  Result<void> remove(const Taken& taken) {
    const auto guarded = connection_->guard();
    return connection_->sent(amqp_basic_ack(connection_->raw(), letters_channel, taken.tag, 0), "acknowledging");
  }

  // Flushes what was acknowledged, and gives back the rest.
  void close() { connection_->goodbye(); }

 private:
  Result<std::optional<Taken>> take_one() {
    const auto guarded = connection_->guard_rpc();
    const std::string queue = dead_queue(options_);
    const amqp_rpc_reply_t reply = amqp_basic_get(connection_->raw(), letters_channel, as_bytes(queue), 0);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
      const bool missing = channel_close_code(reply) == 404;
      return fail(missing ? ErrorCode::precondition : ErrorCode::unavailable,
                  "queue " + queue + ": " + describe(reply) + (missing ? "; run `armazem migrate`" : ""));
    }
    if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) return std::optional<Taken>();
    Taken taken;
    taken.tag = static_cast<const amqp_basic_get_ok_t*>(reply.reply.decoded)->delivery_tag;
    amqp_message_t message;
    const amqp_rpc_reply_t read = amqp_read_message(connection_->raw(), letters_channel, &message, 0);
    if (read.reply_type != AMQP_RESPONSE_NORMAL) return fail(ErrorCode::unavailable, "a letter: " + describe(read));
    read_headers(message.properties, taken.letter);
    taken.letter.raw = as_text(message.body);
    amqp_destroy_message(&message);
    if (auto mutations = decode_message(taken.letter.raw)) taken.letter.mutations = std::move(*mutations);
    amqp_maybe_release_buffers(connection_->raw());
    return std::optional(std::move(taken));
  }

  Result<void> wait_for_confirm(const std::string& queue) {
    const Deadline deadline = Deadline::after(MonotonicClock::now(), options_.confirm_timeout);
    Wakeup nobody;
    bool returned = false;
    while (!deadline.expired(MonotonicClock::now())) {
      auto frame = connection_->next_frame();
      if (!frame) return fail(ErrorCode::outcome_unknown, frame.error().message);
      if (!*frame) {
        connection_->wait(nobody, std::chrono::milliseconds(100), false);
        continue;
      }
      if ((*frame)->frame_type != AMQP_FRAME_METHOD) continue;
      const amqp_method_number_t method = (*frame)->payload.method.id;
      returned = returned || method == AMQP_BASIC_RETURN_METHOD;
      if (method == AMQP_BASIC_ACK_METHOD && !returned) return {};
      if (method == AMQP_BASIC_ACK_METHOD) return fail(ErrorCode::unavailable, "queue " + queue + " does not exist");
      if (method == AMQP_BASIC_NACK_METHOD) return fail(ErrorCode::outcome_unknown, queue + " refused the message");
      if (method == AMQP_CHANNEL_CLOSE_METHOD) return fail(ErrorCode::outcome_unknown, "the channel was closed");
    }
    return fail(ErrorCode::outcome_unknown, "no confirm of queue " + queue + " in time");
  }

  const RabbitmqOptions options_;
  Watchdog watchdog_{[](MonotonicTime) {}};
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::vector<DeadLetter>> RabbitmqDeadLetters::list(std::size_t limit) {
  Session session(options_);
  if (auto opened = session.open(); !opened) return fail(std::move(opened.error()));
  auto taken = session.take(limit);
  if (!taken) return fail(std::move(taken.error()));
  session.close();
  std::vector<DeadLetter> letters;
  for (Taken& one : *taken) letters.push_back(std::move(one.letter));
  return letters;
}

Result<void> RabbitmqDeadLetters::replay(std::uint64_t number, std::optional<Version> stamp) {
  Session session(options_);
  if (auto opened = session.open(); !opened) return opened;
  auto taken = session.take_number(number);
  if (!taken) return fail(std::move(taken.error()));
  std::vector<Mutation> mutations = taken->letter.mutations;
  if (mutations.empty()) return fail(ErrorCode::precondition, "the letter does not parse and cannot be replayed");
  if (stamp) restamp(mutations, *stamp);
  if (auto opened = session.open_for_publishing(); !opened) return opened;
  for (const Mutation& mutation : mutations) {
    if (auto published = session.publish(mutation); !published) return published;
  }
  if (auto removed = session.remove(*taken); !removed) return removed;
  session.close();
  return {};
}

Result<void> RabbitmqDeadLetters::drop(std::uint64_t number) {
  Session session(options_);
  if (auto opened = session.open(); !opened) return opened;
  auto taken = session.take_number(number);
  if (!taken) return fail(std::move(taken.error()));
  if (auto removed = session.remove(*taken); !removed) return removed;
  session.close();
  return {};
}

}  // namespace armazem::rabbit
