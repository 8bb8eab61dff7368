#include "adapters/rabbitmq/sender.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "adapters/rabbitmq/amqp_text.h"

namespace armazem::rabbit {
namespace {

constexpr amqp_channel_t confirmed_channel = 1;
constexpr amqp_channel_t plain_channel = 2;
constexpr std::chrono::milliseconds turn_max{500};  // heartbeats must go out
constexpr int nacks_in_a_row_max = 16;
// A writable socket takes at least that much: a third of its buffer, which is never below 16 KiB on Linux.
constexpr std::size_t bytes_between_checks = 4 << 10;

amqp_table_entry_t text_header(const char* name, std::string_view text) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = as_bytes(text);
  return entry;
}

}  // namespace

// Suspends a caller until its message has been decided.
struct Sender::Wait {
  Sender& sender;
  Outgoing& message;
  PublishWaiter& waiter;
  Deadline deadline;

  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> handle) {
    waiter.suspended = {&handle.promise().executor(), handle};
    auto taken = sender.ledger_.submit(std::move(message), waiter, deadline);
    if (taken) return true;  // and from here on the coroutine may already be running elsewhere
    waiter.result = std::move(taken);
    return false;
  }
  void await_resume() const noexcept {}
};

Sender::Sender(const Url& url, const RabbitmqOptions& options, std::string purpose, ReplyAddress* replies,
               Watchdog& watchdog, Counters& counters)
    : options_(options),
      replies_(replies),
      counters_(counters),
      link_(url, options, std::move(purpose), *this, watchdog, counters),
      ledger_(options, counters, link_.wakeup()) {}

Sender::~Sender() { stop(); }

void Sender::request_stop() {
  if (link_.stopping()) return;
  close_deadline_ = Deadline::after(MonotonicClock::now(), options_.close_timeout);
  ledger_.close();
  link_.request_stop();
}

void Sender::stop() {
  request_stop();
  link_.stop();
}

Task<Result<void>> Sender::send(Outgoing message, Deadline deadline) {
  PublishWaiter waiter;
  Wait wait{*this, message, waiter, deadline};
  co_await wait;
  co_return std::move(waiter.result);
}

void Sender::on_down(const Error& why) { ledger_.link_down(why.message); }

Result<void> Sender::serve(Connection& connection) {
  incoming_ = {};
  nacks_in_a_row_ = 0;
  unblocked_at_ = {};
  for (const amqp_channel_t channel : {confirmed_channel, plain_channel}) {
    if (auto opened = connection.open_channel(channel); !opened) return opened;
  }
  amqp_confirm_select(connection.raw(), confirmed_channel);
  if (auto selected = connection.rpc_result(confirmed_channel, "confirm.select"); !selected) return selected;
  ledger_.link_up();
  link_.set_health(true, "connected to " + connection.host());
  while (true) {
    if (auto read = read_frames(connection); !read) return read;
    if (finished()) break;
    if (!connection.blocked()) {
      if (auto sent = send_waiting(connection); !sent) return sent;
    }
    if (auto confirms = check_confirms(connection); !confirms) return confirms;
    connection.wait(link_.wakeup(), turn_max, !connection.blocked() && ledger_.has_work());
  }
  connection.goodbye();
  return {};
}

bool Sender::finished() const {
  return link_.stopping() && (ledger_.idle() || close_deadline_.expired(MonotonicClock::now()));
}

Result<void> Sender::read_frames(Connection& connection) {
  const bool was_blocked = connection.blocked();
  while (true) {
    auto frame = connection.next_frame();
    if (!frame) return fail(std::move(frame.error()));
    if (!*frame) break;
    if ((*frame)->frame_type == AMQP_FRAME_METHOD) {
      if (auto handled = handle_method(connection, **frame); !handled) return handled;
    }
    if ((*frame)->channel != confirmed_channel) continue;
    auto message = incoming_.take(**frame);
    if (!message) return fail(std::move(message.error()));
    if (!*message || !(*message)->returned) continue;
    std::uint64_t tag = 0;
    const std::string& id = (*message)->message_id;
    std::from_chars(id.data(), id.data() + id.size(), tag);
    ledger_.returned(tag, (*message)->return_text);
  }
  if (connection.blocked() == was_blocked) return {};
  if (!connection.blocked()) unblocked_at_ = MonotonicClock::now();
  const std::string why = connection.blocked_why();
  ledger_.set_blocked(connection.blocked(), why);
  link_.set_health(!connection.blocked(), connection.blocked() ? connection.host() + " is blocked: " + why
                                                               : "connected to " + connection.host());
  return {};
}

Result<void> Sender::handle_method(Connection& connection, const amqp_frame_t& frame) {
  const amqp_method_t& method = frame.payload.method;
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_channel_close_t*>(method.decoded);
    return fail(ErrorCode::unavailable, "RabbitMQ at " + connection.host() +
                                            ": channel closed: " + close_text(close->reply_code, close->reply_text));
  }
  if (frame.channel != confirmed_channel) return {};
  if (method.id == AMQP_BASIC_ACK_METHOD) {
    const auto* const ack = static_cast<const amqp_basic_ack_t*>(method.decoded);
    return settle(ack->delivery_tag, ack->multiple != 0, true);
  }
  if (method.id == AMQP_BASIC_NACK_METHOD) {
    const auto* const nack = static_cast<const amqp_basic_nack_t*>(method.decoded);
    return settle(nack->delivery_tag, nack->multiple != 0, false);
  }
  return {};
}

Result<void> Sender::settle(std::uint64_t tag, bool multiple, bool confirmed) {
  if (!ledger_.settle(tag, multiple, confirmed)) return fail(ErrorCode::unavailable, "RabbitMQ: an unknown confirm");
  nacks_in_a_row_ = confirmed ? 0 : nacks_in_a_row_ + 1;
  // The channel may still be tied to a leader that is gone.
  if (nacks_in_a_row_ < nacks_in_a_row_max) return {};
  return fail(ErrorCode::unavailable, "RabbitMQ: nothing but nacks");
}

Result<void> Sender::send_waiting(Connection& connection) {
  std::size_t unchecked_bytes = bytes_between_checks;
  while (true) {
    if (unchecked_bytes >= bytes_between_checks) {
      if (!connection.writable()) return {};
      unchecked_bytes = 0;
    }
    if (const auto reply = ledger_.next_unconfirmed()) {
      if (auto sent = publish(connection, *reply, 0); !sent) return sent;
      counters_.replies_sent.add();
      unchecked_bytes += reply->body.size();
    } else if (const auto next = ledger_.begin_send()) {
      if (auto sent = publish(connection, next->message, next->tag); !sent) return sent;
      unchecked_bytes += next->message.body.size();
    } else {
      return {};
    }
  }
}

// Tag 0: without confirm.
Result<void> Sender::publish(Connection& connection, const Outgoing& message, std::uint64_t tag) {
  const bool confirmed = tag != 0;
  const std::string id = std::to_string(tag);
  const std::string address = message.wants_replies && replies_ != nullptr ? replies_->for_message() : std::string();
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = confirmed ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT;
  if (confirmed) {  // by which a return is told apart
    properties._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
    properties.message_id = as_bytes(id);
  }
  if (!address.empty()) {
    properties._flags |= AMQP_BASIC_REPLY_TO_FLAG;
    properties.reply_to = as_bytes(address);
  }
  std::array<amqp_table_entry_t, 3> headers{};
  if (!message.reason.empty()) {
    headers[0] = text_header("x-armazem-reason", message.reason);
    headers[1] = text_header("x-armazem-detail", message.detail);
    headers[2].key = amqp_cstring_bytes("x-armazem-time");
    headers[2].value.kind = AMQP_FIELD_KIND_I64;
    headers[2].value.value.i64 = static_cast<std::int64_t>(message.time_ms);
    properties._flags |= AMQP_BASIC_HEADERS_FLAG;
    properties.headers = {static_cast<int>(headers.size()), headers.data()};
  }
  const auto guarded = connection.guard();
  const int status =
      amqp_basic_publish(connection.raw(), confirmed ? confirmed_channel : plain_channel, amqp_empty_bytes,
                         as_bytes(message.queue), confirmed ? 1 : 0, 0, &properties, as_bytes(message.body));
  return connection.sent(status, "publishing");
}

// A blocked broker reads nothing, so it confirms nothing; another connection would change neither.
Result<void> Sender::check_confirms(const Connection& connection) const {
  const auto oldest = ledger_.oldest_sent();
  if (!oldest || connection.blocked()) return {};
  if (MonotonicClock::now() - std::max(*oldest, unblocked_at_) < options_.confirm_timeout) return {};
  return fail(ErrorCode::unavailable,
              "RabbitMQ: no confirm within " + std::to_string(options_.confirm_timeout.count()) + " ms");
}

}  // namespace armazem::rabbit
