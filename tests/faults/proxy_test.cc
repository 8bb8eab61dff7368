// The proxies do what the campaign asks of them: a fault that does not happen proves nothing.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <thread>

#include "net/file_descriptor.h"
#include "support/tcp_proxy.h"

namespace armazem::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Answers every connection with what it says.
class EchoServer {
 public:
  EchoServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), generic, size) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), generic, &size) != 0) {
      throw std::runtime_error("the server of the test cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void run(const std::stop_token& stop) {
    std::vector<net::FileDescriptor> connections;
    while (!stop.stop_requested()) {
      std::vector<pollfd> polled{{listener_.get(), POLLIN, 0}};
      for (const auto& each : connections) polled.push_back({each.get(), POLLIN, 0});
      if (::poll(polled.data(), polled.size(), 10) <= 0) continue;
      for (std::size_t at = connections.size(); at-- > 0;) {
        if (polled[at + 1].revents != 0 && !echo(connections[at].get()))
          connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(at));
      }
      if (polled[0].revents != 0) connections.emplace_back(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
  }

  static bool echo(int connection) {
    char buffer[4096];
    const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
    return got > 0 && ::send(connection, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
  }

  net::FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

class Peer {
 public:
  explicit Peer(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("no connection");
  }

  void say(const std::string& text) const {
    ASSERT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  // What comes until `size` bytes are there, the connection ends, or the time is over.
  std::string hear(std::size_t size, milliseconds patience = milliseconds(20'000)) {
    std::string heard;
    const auto end = steady_clock::now() + patience;
    while (heard.size() < size) {
      const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now()).count();
      pollfd ready{socket_.get(), POLLIN, 0};
      if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) != 1) break;
      char buffer[4096];
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      ended_ = got <= 0;
      if (ended_) break;
      heard.append(buffer, static_cast<std::size_t>(got));
    }
    return heard;
  }

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  net::FileDescriptor socket_;
  bool ended_ = false;
};

class ProxyTest : public ::testing::Test {
 protected:
  EchoServer server_;
  TcpProxy proxy_{{{"127.0.0.1", server_.port()}}};
};

TEST_F(ProxyTest, PassesEverythingOn) {
  Peer peer(proxy_.port());
  for (int round = 0; round < 10; ++round) {
    peer.say("hello");
    EXPECT_EQ(peer.hear(5), "hello");
  }
  EXPECT_EQ(proxy_.broken(), 0U);
}

TEST_F(ProxyTest, CutsWithinAnAnswer) {
  Peer peer(proxy_.port());
  peer.say("hello");
  EXPECT_EQ(peer.hear(5), "hello");
  proxy_.cut_replies_after(3);
  peer.say("hello");
  const std::string part = peer.hear(5);
  EXPECT_TRUE(peer.ended());
  EXPECT_LE(part.size(), 3U);
  EXPECT_EQ(proxy_.broken(), 1U);
  Peer next(proxy_.port());
  next.say("again");
  EXPECT_EQ(next.hear(5), "again") << "a cut is used up";
}

TEST_F(ProxyTest, CutsWithinARequest) {
  Peer peer(proxy_.port());
  proxy_.cut_after(2);
  peer.say("hello");
  EXPECT_LT(peer.hear(5).size(), 5U + 1);
  peer.hear(1);
  EXPECT_TRUE(peer.ended());
}

TEST_F(ProxyTest, Delays) {
  Peer peer(proxy_.port());
  proxy_.delay(milliseconds(150));
  const auto begin = steady_clock::now();
  peer.say("hello");
  EXPECT_EQ(peer.hear(5), "hello");
  EXPECT_GE(steady_clock::now() - begin, milliseconds(300)) << "both directions";
  proxy_.delay(milliseconds(0));
  peer.say("after");
  EXPECT_EQ(peer.hear(5), "after") << "nothing is lost or overtaken";
}

TEST_F(ProxyTest, StrandsTheConnectionsOfTheMoment) {
  Peer old(proxy_.port());
  old.say("hello");
  EXPECT_EQ(old.hear(5), "hello");
  proxy_.strand();
  while (proxy_.broken() == 0) std::this_thread::yield();  // the proxy's thread has seen it
  old.say("lost");
  Peer fresh(proxy_.port());
  fresh.say("hello");
  EXPECT_EQ(fresh.hear(5), "hello");
  EXPECT_EQ(old.hear(4, milliseconds(200)), "");
  EXPECT_FALSE(old.ended()) << "nobody told it";
}

TEST_F(ProxyTest, RefusesAndThenDoesNot) {
  Peer old(proxy_.port());
  old.say("hello");
  EXPECT_EQ(old.hear(5), "hello");
  proxy_.refuse(true);
  EXPECT_EQ(old.hear(1), "");
  EXPECT_TRUE(old.ended());
  Peer refused(proxy_.port());
  EXPECT_EQ(refused.hear(1), "");
  EXPECT_TRUE(refused.ended());
  proxy_.refuse(false);
  Peer fresh(proxy_.port());
  fresh.say("hello");
  EXPECT_EQ(fresh.hear(5), "hello");
}

}  // namespace
}  // namespace armazem::test
