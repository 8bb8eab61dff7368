#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <stdexcept>

namespace armazem::test {

struct TcpProxy::Pair {
  using Clock = std::chrono::steady_clock;
  // One direction: what may be passed on, and behind it what is still held back.
  struct Stream {
    void add(std::string_view bytes, std::chrono::milliseconds delay) {
      if (delay.count() == 0 && late.empty()) {
        ready.append(bytes);
      } else {
        late.emplace_back(Clock::now() + delay, bytes);
      }
      held += bytes.size();
    }
    std::string ready;
    std::deque<std::pair<Clock::time_point, std::string>> late;
    std::size_t held = 0;
  };

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
  Stream to_server;
  Stream to_client;
  bool stranded = false;
  Clock::time_point stranded_since;
};

namespace {

constexpr std::chrono::seconds keepalive{60};  // 30 s idle and three probes, as our servers have it
constexpr std::size_t buffer_max = std::size_t{64} << 10;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// False: the connection is over.
bool read_some(int fd, auto& into, std::chrono::milliseconds delay) {
  std::array<char, 16'384> buffer;
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) into.add({buffer.data(), static_cast<std::size_t>(got)}, delay);
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

bool write_some(int fd, auto& from) {
  if (from.ready.empty()) return true;
  const ssize_t put = ::send(fd, from.ready.data(), from.ready.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put > 0) {
    from.ready.erase(0, static_cast<std::size_t>(put));
    from.held -= static_cast<std::size_t>(put);
  }
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
void TcpProxy::cut_replies_after(std::uint64_t bytes) { reply_bytes_left_ = static_cast<std::int64_t>(bytes); }
void TcpProxy::strand() {
  strand_ = true;
  wake();
}
void TcpProxy::delay(std::chrono::milliseconds by) { delay_ms_ = by.count(); }
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
  if (refusing_) ++broken_;
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

// Counts down to a cut that was asked for.
void TcpProxy::spend(std::atomic<std::int64_t>& left, std::size_t bytes) {
  if (left < 0) return;
  if (left < static_cast<std::int64_t>(bytes)) {
    left = -1;
    cut_ = true;
  } else {
    left -= static_cast<std::int64_t>(bytes);
  }
}

bool TcpProxy::step(Pair& pair, short client_events, short server_events) {
  constexpr short readable = POLLIN | POLLHUP | POLLERR;
  const std::chrono::milliseconds delay(delay_ms_);
  if ((client_events & readable) != 0) {
    const std::size_t before = pair.to_server.held;
    if (!read_some(pair.client, pair.to_server, delay)) return false;
    spend(bytes_left_, pair.to_server.held - before);
  }
  if ((server_events & readable) != 0) {
    const std::size_t before = pair.to_client.held;
    if (!read_some(pair.server, pair.to_client, delay)) return false;
    const std::size_t got = pair.to_client.held - before;
    if (reply_bytes_left_ >= 0 && reply_bytes_left_ < static_cast<std::int64_t>(got)) {
      pair.to_client.ready.resize(
          pair.to_client.ready.size() -
          std::min(pair.to_client.ready.size(), got - static_cast<std::size_t>(reply_bytes_left_)));
    }
    spend(reply_bytes_left_, got);
  }
  return forward(pair);
}

bool TcpProxy::forward(Pair& pair) {
  if (pair.stranded) return Pair::Clock::now() - pair.stranded_since < keepalive;
  if (blackhole_) return true;
  return write_some(pair.server, pair.to_server) && (answers_held_ || write_some(pair.client, pair.to_client));
}

// What was held back long enough may go; returns the milliseconds until the next may.
int TcpProxy::release_late() {
  int wait = 1000;
  const auto now = Pair::Clock::now();
  for (const auto& pair : pairs_) {
    for (Pair::Stream* stream : {&pair->to_server, &pair->to_client}) {
      while (!stream->late.empty() && stream->late.front().first <= now) {
        stream->ready.append(stream->late.front().second);
        stream->late.pop_front();
      }
      if (stream->late.empty()) continue;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(stream->late.front().first - now).count();
      wait = std::min(wait, static_cast<int>(left));
    }
  }
  return wait;
}

void TcpProxy::run() {
  std::vector<pollfd> polled;
  while (!stopping_) {
    const int wait = release_late();
    polled.assign({{listener_, POLLIN, 0}, {wakeup_, POLLIN, 0}});
    for (const auto& pair : pairs_) {
      const bool open = !blackhole_ && !pair->stranded;
      const bool client_reads = open && pair->to_server.held < buffer_max;
      const bool server_reads = open && pair->to_client.held < buffer_max;
      const bool writes_back = open && !answers_held_ && !pair->to_client.ready.empty();
      polled.push_back({open ? pair->client : -1, interest(client_reads, writes_back), 0});
      polled.push_back({open ? pair->server : -1, interest(server_reads, open && !pair->to_server.ready.empty()), 0});
    }
    if (::poll(polled.data(), polled.size(), wait) < 0) continue;
    if (polled[1].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(wakeup_, &ignored, sizeof ignored);
    }
    std::size_t at = 2;
    for (auto pair = pairs_.begin(); pair != pairs_.end(); at += 2) {
      const bool alive = step(**pair, polled[at].revents, polled[at + 1].revents);
      pair = alive ? std::next(pair) : pairs_.erase(pair);
    }
    if (strand_.exchange(false)) {
      for (const auto& pair : pairs_) {
        if (!std::exchange(pair->stranded, true)) pair->stranded_since = Pair::Clock::now();
      }
      broken_ += pairs_.size();
    }
    if (cut_.exchange(false)) {
      broken_ += pairs_.size();
      pairs_.clear();
    }
    if ((polled[0].revents & POLLIN) != 0) accept_one();
  }
}

}  // namespace armazem::test
