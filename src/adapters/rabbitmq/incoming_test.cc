// Messages from frames, as a broker may send them.
#include "adapters/rabbitmq/incoming.h"

#include <gtest/gtest.h>

#include "adapters/rabbitmq/amqp_text.h"

namespace armazem::rabbit {
namespace {

amqp_basic_deliver_t deliver{{}, 7, 1, {}, {}};
amqp_basic_return_t unroutable{312, as_bytes("NO_ROUTE"), {}, {}};
amqp_channel_close_t channel_close{};

amqp_frame_t method(amqp_method_number_t id, void* decoded) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_METHOD;
  frame.payload.method = {id, decoded};
  return frame;
}
amqp_frame_t header(std::uint64_t size, amqp_basic_properties_t& properties) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_HEADER;
  frame.payload.properties.body_size = size;
  frame.payload.properties.decoded = &properties;
  return frame;
}
amqp_frame_t body(std::string_view text) {
  amqp_frame_t frame{};
  frame.frame_type = AMQP_FRAME_BODY;
  frame.payload.body_fragment = as_bytes(text);
  return frame;
}

TEST(Incoming, ADeliveryInPieces) {
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_REPLY_TO_FLAG;
  properties.reply_to = as_bytes("address");
  Incoming incoming;
  EXPECT_FALSE(incoming.take(method(AMQP_BASIC_DELIVER_METHOD, &deliver)).value().has_value());
  EXPECT_FALSE(incoming.take(header(5, properties)).value().has_value());
  EXPECT_FALSE(incoming.take(body("abc")).value().has_value());
  const auto message = incoming.take(body("de")).value();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->body, "abcde");
  EXPECT_EQ(message->delivery_tag, 7U);
  EXPECT_TRUE(message->redelivered);
  EXPECT_FALSE(message->returned);
  EXPECT_EQ(message->reply_to, "address");
}

TEST(Incoming, AReturnWithoutABody) {
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_MESSAGE_ID_FLAG;
  properties.message_id = as_bytes("12");
  Incoming incoming;
  EXPECT_FALSE(incoming.take(method(AMQP_BASIC_RETURN_METHOD, &unroutable)).value().has_value());
  const auto message = incoming.take(header(0, properties)).value();
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(message->returned);
  EXPECT_EQ(message->message_id, "12");
  EXPECT_EQ(message->return_text, "312 NO_ROUTE");
}

TEST(Incoming, OtherMethodsAreNoMessages) {
  Incoming incoming;
  EXPECT_FALSE(incoming.take(method(AMQP_CHANNEL_CLOSE_METHOD, &channel_close)).value().has_value());
}

TEST(Incoming, FramesOutOfOrderAreAnError) {
  amqp_basic_properties_t properties{};
  EXPECT_FALSE(Incoming().take(header(1, properties)).has_value());
  EXPECT_FALSE(Incoming().take(body("x")).has_value());
  Incoming too_long;
  ASSERT_TRUE(too_long.take(method(AMQP_BASIC_DELIVER_METHOD, &deliver)).has_value());
  ASSERT_TRUE(too_long.take(header(1, properties)).has_value());
  EXPECT_FALSE(too_long.take(body("xx")).has_value());
}

}  // namespace
}  // namespace armazem::rabbit
