#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace armazem::test {

struct TcpProxy::Pair {
  ~Pair() {
    // No lingering: the other side sees a reset, as of a broken network.
    const linger at_once{1, 0};
    for (const int fd : {client, server}) {
      if (fd < 0) continue;
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(fd);
    }
  }
  int client = -1;
  int server = -1;
  std::string to_server;
  std::string to_client;
};

namespace {

constexpr std::size_t buffer_max = std::size_t{64} << 10;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// False: the connection is over.
bool read_some(int fd, std::string& into) {
  std::array<char, 16'384> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool write_some(int fd, std::string& from) {
  if (from.empty()) return true;
  const ssize_t put = ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put > 0) from.erase(0, static_cast<std::size_t>(put));
  return put > 0 || (put < 0 && (errno == EAGAIN || errno == EINTR));
}

short interest(bool reads, bool writes) { return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)); }

}  // namespace

TcpProxy::TcpProxy(std::vector<Address> upstreams) : upstreams_(std::move(upstreams)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wakeup_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  stopping_ = true;
  wake();
  thread_.join();
  pairs_.clear();
  ::close(listener_);
  ::close(wakeup_);
}

void TcpProxy::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wakeup_, &one, sizeof one);
}

void TcpProxy::cut() {
  cut_ = true;
  wake();
}
void TcpProxy::cut_after(std::uint64_t bytes) { bytes_left_ = static_cast<std::int64_t>(bytes); }
void TcpProxy::refuse(bool on) {
  refusing_ = on;
  if (on) cut();
}
void TcpProxy::blackhole(bool on) {
  blackhole_ = on;
  wake();
}
void TcpProxy::hold_answers(bool on) {
  answers_held_ = on;
  wake();
}

void TcpProxy::accept_one() {
  auto pair = std::make_unique<Pair>();
  pair->client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (pair->client < 0 || refusing_) return;
  pair->server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto& [host, port] = upstreams_[turn_++ % upstreams_.size()];
  sockaddr_in address = loopback(port);
  if (host != "localhost") ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  if (::connect(pair->server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  const int on = 1;
  ::setsockopt(pair->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(pair->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  pairs_.push_back(std::move(pair));
  ++accepted_;
}

bool TcpProxy::step(Pair& pair, short client_events, short server_events) {
  constexpr short readable = POLLIN | POLLHUP | POLLERR;
  if ((client_events & readable) != 0) {
    const std::size_t before = pair.to_server.size();
    if (!read_some(pair.client, pair.to_server)) return false;
    const auto got = static_cast<std::int64_t>(pair.to_server.size() - before);
    if (bytes_left_ >= 0 && bytes_left_ < got) {
      bytes_left_ = -1;
      cut_ = true;
    } else if (bytes_left_ >= 0) {
      bytes_left_ -= got;
    }
  }
  if ((server_events & readable) != 0 && !read_some(pair.server, pair.to_client)) return false;
  if (blackhole_) return true;
  return write_some(pair.server, pair.to_server) && (answers_held_ || write_some(pair.client, pair.to_client));
}

void TcpProxy::run() {
  std::vector<pollfd> polled;
  while (!stopping_) {
    polled.assign({{listener_, POLLIN, 0}, {wakeup_, POLLIN, 0}});
    const bool open = !blackhole_;
    const bool answers = open && !answers_held_;
    for (const auto& pair : pairs_) {
      const bool client_reads = open && pair->to_server.size() < buffer_max;
      const bool server_reads = open && pair->to_client.size() < buffer_max;
      polled.push_back({pair->client, interest(client_reads, answers && !pair->to_client.empty()), 0});
      polled.push_back({pair->server, interest(server_reads, open && !pair->to_server.empty()), 0});
    }
    if (::poll(polled.data(), polled.size(), 1000) < 0) continue;
    if (polled[1].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(wakeup_, &ignored, sizeof ignored);
    }
    std::size_t at = 2;
    for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
      const bool alive = step(**pair, polled[at].revents, polled[at + 1].revents);
      pair = alive ? std::next(pair) : pairs_.erase(pair);
    }
    if (cut_.exchange(false)) pairs_.clear();
    if ((polled[0].revents & POLLIN) != 0) accept_one();
  }
}

}  // namespace armazem::test
