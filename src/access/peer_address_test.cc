#include "access/peer_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "net/file_descriptor.h"

namespace armazem {
namespace {

PeerAddress address(const char* text) {
  PeerAddress bytes{};
  EXPECT_EQ(inet_pton(AF_INET6, text, bytes.data()), 1) << text;
  return bytes;
}

TEST(PeerAddress, Text) {
  EXPECT_EQ(to_text(address("::ffff:192.0.2.7")), "192.0.2.7");
  EXPECT_EQ(to_text(address("2001:db8::7")), "2001:db8::7");
  EXPECT_EQ(to_text(PeerAddress{}), "::");
}

TEST(PeerAddress, OneSubscriberIsOneNetwork) {
  EXPECT_EQ(network_of(address("2001:db8:0:1:aaaa::1")), network_of(address("2001:db8:0:1:bbbb::2")));
  EXPECT_NE(network_of(address("2001:db8:0:1::1")), network_of(address("2001:db8:0:2::1")));
  EXPECT_NE(network_of(address("::ffff:192.0.2.7")), network_of(address("::ffff:192.0.2.8")));
}

TEST(PeerAddress, OfASocket) {
  const net::FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&where), &size), 0);
  const net::FileDescriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&where), size), 0);
  const net::FileDescriptor accepted(accept(listener.get(), nullptr, nullptr));
  EXPECT_EQ(to_text(peer_of(accepted.get())), "127.0.0.1");
  EXPECT_EQ(peer_of(-1), PeerAddress{});
}

}  // namespace
}  // namespace armazem
