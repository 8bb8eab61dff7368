#include "adapters/rabbitmq/incoming.h"

#include <utility>

#include "adapters/rabbitmq/amqp_text.h"

namespace armazem::rabbit {

Result<std::optional<IncomingMessage>> Incoming::take(const amqp_frame_t& frame) {
  if (frame.frame_type == AMQP_FRAME_METHOD) {
    const amqp_method_t& method = frame.payload.method;
    if (method.id == AMQP_BASIC_DELIVER_METHOD) {
      const auto* const deliver = static_cast<const amqp_basic_deliver_t*>(method.decoded);
      message_.emplace();
      message_->delivery_tag = deliver->delivery_tag;
      message_->redelivered = deliver->redelivered != 0;
    } else if (method.id == AMQP_BASIC_RETURN_METHOD) {
      const auto* const returned = static_cast<const amqp_basic_return_t*>(method.decoded);
      message_.emplace();
      message_->returned = true;
      message_->return_text = close_text(returned->reply_code, returned->reply_text);
    }
    has_header_ = false;
    return std::optional<IncomingMessage>();
  }
  if (frame.frame_type == AMQP_FRAME_HEADER && message_ && !has_header_) {
    const auto* const properties = static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
    if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) message_->message_id = as_text(properties->message_id);
    if ((properties->_flags & AMQP_BASIC_REPLY_TO_FLAG) != 0) message_->reply_to = as_text(properties->reply_to);
    has_header_ = true;
    missing_ = frame.payload.properties.body_size;
    message_->body.reserve(missing_);
    return if_complete();
  }
  if (frame.frame_type == AMQP_FRAME_BODY && message_ && has_header_ && frame.payload.body_fragment.len <= missing_) {
    missing_ -= frame.payload.body_fragment.len;
    message_->body.append(static_cast<const char*>(frame.payload.body_fragment.bytes), frame.payload.body_fragment.len);
    return if_complete();
  }
  return fail(ErrorCode::unavailable, "RabbitMQ: a frame out of order");
}

std::optional<IncomingMessage> Incoming::if_complete() {
  if (missing_ > 0) return std::nullopt;
  return std::exchange(message_, std::nullopt);
}

}  // namespace armazem::rabbit
