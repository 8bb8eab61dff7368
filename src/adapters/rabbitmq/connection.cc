#include "adapters/rabbitmq/connection.h"

#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <poll.h>

#include <array>

#include "adapters/rabbitmq/amqp_text.h"
#include "core/assert.h"

namespace armazem::rabbit {
namespace {

constexpr int channel_max = 2047;
constexpr int frame_bytes_max = 131'072;

amqp_table_entry_t flag(const char* name) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  entry.value.value.boolean = 1;
  return entry;
}

}  // namespace

Connection::Connection(const Host& host, const RabbitmqOptions& options)
    : host_(host.text()), options_(options), state_(amqp_new_connection()) {
  ARMAZEM_ASSERT(state_ != nullptr);
}

Connection::~Connection() {
  watched_.reset();  // before the descriptor is closed and its number used again
  amqp_destroy_connection(state_);
}

Result<std::unique_ptr<Connection>> Connection::open(const Url& url, const Host& host, const RabbitmqOptions& options,
                                                     const std::string& purpose, Watchdog& watchdog) {
  std::unique_ptr<Connection> connection(new Connection(host, options));
  if (auto connected = connection->connect(url, host); !connected) return fail(std::move(connected.error()));
  connection->watched_.emplace(watchdog, amqp_get_sockfd(connection->state_));
  if (auto logged_in = connection->login(url, purpose); !logged_in) return fail(std::move(logged_in.error()));
  return connection;
}

Result<void> Connection::connect(const Url& url, const Host& host) {
  amqp_socket_t* const socket = url.tls ? amqp_ssl_socket_new(state_) : amqp_tcp_socket_new(state_);
  if (socket == nullptr) return lost("no socket");
  if (url.tls) {
    amqp_ssl_socket_set_verify_peer(socket, 1);
    amqp_ssl_socket_set_verify_hostname(socket, 1);
    amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
    const int status = amqp_ssl_socket_set_cacert(socket, url.cacert.c_str());
    if (status != AMQP_STATUS_OK) return lost("certificates of " + url.cacert + ": " + library_error(status));
  }
  const timeval timeout = as_timeval(options_.connect_timeout);
  const int status = amqp_socket_open_noblock(socket, host.name.c_str(), host.port, &timeout);
  if (status != AMQP_STATUS_OK) return lost(library_error(status));
  return {};
}

Result<void> Connection::login(const Url& url, const std::string& purpose) {
  const timeval handshake = as_timeval(options_.connect_timeout);
  const timeval rpc = as_timeval(options_.rpc_timeout);
  amqp_set_handshake_timeout(state_, &handshake);
  amqp_set_rpc_timeout(state_, &rpc);
  // Without them there is no word of an alarm, and a consumer is dropped in silence.
  std::array capabilities = {flag("connection.blocked"), flag("consumer_cancel_notify"), flag("basic.nack"),
                             flag("publisher_confirms")};
  std::array<amqp_table_entry_t, 2> entries{};
  entries[0].key = amqp_cstring_bytes("capabilities");
  entries[0].value.kind = AMQP_FIELD_KIND_TABLE;
  entries[0].value.value.table = {static_cast<int>(capabilities.size()), capabilities.data()};
  entries[1].key = amqp_cstring_bytes("connection_name");
  entries[1].value.kind = AMQP_FIELD_KIND_UTF8;
  const std::string name = "armazem " + purpose;
  entries[1].value.value.bytes = as_bytes(name);
  const amqp_table_t properties{static_cast<int>(entries.size()), entries.data()};
  const auto guarded = Watchdog::Guard(*watched_, options_.connect_timeout * 2);
  const amqp_rpc_reply_t reply = amqp_login_with_properties(
      state_, url.vhost.c_str(), channel_max, frame_bytes_max, static_cast<int>(options_.heartbeat.count()),
      &properties, AMQP_SASL_METHOD_PLAIN, url.user.c_str(), url.password.c_str());
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) return lost("login: " + describe(reply));
  return {};
}

void Connection::goodbye() {
  const timeval second{1, 0};
  amqp_set_rpc_timeout(state_, &second);
  const auto guarded = Watchdog::Guard(*watched_, std::chrono::seconds(1));
  (void)amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
}

tl::unexpected<Error> Connection::lost(const std::string& why) const {
  return fail(ErrorCode::unavailable, "RabbitMQ at " + host_ + ": " + why);
}

Result<void> Connection::open_channel(amqp_channel_t channel) {
  const auto guarded = guard_rpc();
  amqp_channel_open(state_, channel);
  return rpc_result(channel, "opening a channel");
}

Result<void> Connection::rpc_result(amqp_channel_t channel, const std::string& what) {
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(state_);
  close_code_ = channel_close_code(reply);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  const std::string why = what + ": " + describe(reply);
  if (close_code_ != 0) {
    if (auto confirmed = confirm_channel_close(channel); !confirmed) return confirmed;
  }
  return lost(why);
}

Result<void> Connection::sent(int status, const char* what) const {
  if (status == AMQP_STATUS_OK) return {};
  return lost(std::string(what) + ": " + library_error(status));
}

Result<void> Connection::confirm_channel_close(amqp_channel_t channel) {
  const auto guarded = guard();
  amqp_channel_close_ok_t ok{};
  return sent(amqp_send_method(state_, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok), "closing a channel");
}

Result<std::optional<amqp_frame_t>> Connection::next_frame() {
  while (true) {
    amqp_maybe_release_buffers(state_);
    amqp_frame_t frame;
    const timeval at_once{0, 0};
    // Guarded, because a heartbeat may be sent inside.
    const auto guarded = guard();
    const int status = amqp_simple_wait_frame_noblock(state_, &frame, &at_once);
    if (status == AMQP_STATUS_TIMEOUT) return std::optional<amqp_frame_t>();
    if (status != AMQP_STATUS_OK) return lost(library_error(status));
    if (frame.channel != 0) return std::optional(frame);
    if (auto handled = handle_own(frame); !handled) return fail(std::move(handled.error()));
  }
}

Result<void> Connection::handle_own(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return {};
  const amqp_method_t& method = frame.payload.method;
  if (method.id == AMQP_CONNECTION_BLOCKED_METHOD) {
    blocked_ = true;
    blocked_why_ = as_text(static_cast<const amqp_connection_blocked_t*>(method.decoded)->reason);
  } else if (method.id == AMQP_CONNECTION_UNBLOCKED_METHOD) {
    blocked_ = false;
  } else if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_connection_close_t*>(method.decoded);
    return lost("closed by the broker: " + close_text(close->reply_code, close->reply_text));
  }
  return {};
}

bool Connection::writable() const noexcept {
  pollfd polled{amqp_get_sockfd(state_), POLLOUT, 0};
  return ::poll(&polled, 1, 0) == 1;
}

void Connection::wait(Wakeup& wakeup, std::chrono::milliseconds span, bool or_writable) const {
  const short events = or_writable ? POLLIN | POLLOUT : POLLIN;
  std::array<pollfd, 2> polled = {{{amqp_get_sockfd(state_), events, 0}, {wakeup.fd(), POLLIN, 0}}};
  (void)::poll(polled.data(), polled.size(), static_cast<int>(span.count()));
  if (polled[1].revents != 0) wakeup.drain();
}

}  // namespace armazem::rabbit
