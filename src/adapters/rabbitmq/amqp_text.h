// Between librabbitmq's texts, errors and durations and ours.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>
#include <sys/time.h>

#include <chrono>
#include <string>
#include <string_view>

namespace armazem::rabbit {

// Does not copy: the text must outlive the use.
inline amqp_bytes_t as_bytes(std::string_view text) noexcept {
  return {text.size(), const_cast<char*>(text.data())};  // librabbitmq never writes through it
}

inline std::string as_text(amqp_bytes_t bytes) {
  return bytes.len == 0 ? std::string() : std::string(static_cast<const char*>(bytes.bytes), bytes.len);
}

inline timeval as_timeval(std::chrono::milliseconds span) noexcept {
  return {static_cast<time_t>(span.count() / 1000), static_cast<suseconds_t>(span.count() % 1000 * 1000)};
}

inline std::string library_error(int status) { return amqp_error_string2(status); }

inline std::string close_text(std::uint16_t code, amqp_bytes_t text) {
  return std::to_string(code) + " " + as_text(text);
}

// "code text" of a close that the broker sent instead of an answer, or the library's own words.
inline std::string describe(const amqp_rpc_reply_t& reply) {
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) return library_error(reply.library_error);
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return "no answer";
  if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
    return close_text(close->reply_code, close->reply_text);
  }
  if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto* const close = static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
    return close_text(close->reply_code, close->reply_text);
  }
  return "an unexpected answer";
}

// 404, 406 and so on, when the broker closed the channel; else 0.
inline int channel_close_code(const amqp_rpc_reply_t& reply) noexcept {
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION || reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD) return 0;
  return static_cast<const amqp_channel_close_t*>(reply.reply.decoded)->reply_code;
}

}  // namespace armazem::rabbit
