// Puts messages together from their frames (method, header, bodies), without ever waiting for the next frame:
// amqp_read_message would, with no time-out.
//
// Thread rule: one thread. One object per channel.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/result.h"

namespace armazem::rabbit {

// A message that the broker delivered (basic.deliver) or gave back (basic.return).
struct IncomingMessage {
  bool returned = false;
  std::uint64_t delivery_tag = 0;  // of a delivery
  bool redelivered = false;
  std::string return_text;         // of a return: why
  std::string message_id;
  std::string reply_to;
  std::string body;
};

class Incoming {
 public:
  // A message once its last frame is here. `unavailable`: frames in an order that cannot be.
  Result<std::optional<IncomingMessage>> take(const amqp_frame_t& frame);

 private:
  [[nodiscard]] std::optional<IncomingMessage> if_complete();

  std::optional<IncomingMessage> message_;  // that is being put together
  bool has_header_ = false;
  std::uint64_t missing_ = 0;               // bytes of its body
};

}  // namespace armazem::rabbit
