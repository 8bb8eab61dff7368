#include "support/wire_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace armazem::test {
namespace {

constexpr int poll_ms = 5;  // how soon a command is noticed

sockaddr_in address_of(const std::string& host_port) {
  const auto colon = host_port.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(host_port.substr(colon + 1))));
  if (inet_pton(AF_INET, host_port.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    throw std::runtime_error("not a numeric address: " + host_port);
  }
  return address;
}

net::FileDescriptor tcp_socket() { return net::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string error_response(const std::string& sqlstate, bool fatal) {
  const std::string severity = fatal ? "FATAL" : "ERROR";
  std::string body;
  for (const std::string& field :
       {"S" + severity, "V" + severity, "C" + sqlstate, std::string("Minjected by a test")}) {
    body += field + '\0';
  }
  body += '\0';
  const auto length = htonl(static_cast<std::uint32_t>(body.size() + 4));
  return "E" + std::string(reinterpret_cast<const char*>(&length), 4) + body;
}

}  // namespace

struct WireProxy::Link {
  net::FileDescriptor client;
  net::FileDescriptor server;
  std::string unread;            // the beginning of a message of the server's
  std::atomic<bool> ended{false};
  bool skip_to_ready = false;    // an error was injected: the client expects nothing but the end of its pipeline
};

WireProxy::WireProxy(const std::string& server) : server_(server), listener_(tcp_socket()) {
  sockaddr_in address = address_of("127.0.0.1:0");
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

WireProxy::~WireProxy() {
  stopping_ = true;
  acceptor_.join();
}

void WireProxy::answer_instead(std::string command, std::string sqlstate, bool fatal) {
  const std::lock_guard lock(mutex_);
  injection_ = {std::move(command), std::move(sqlstate), fatal};
}

void WireProxy::calm() {
  cut_replies_ = -1;
  cut_requests_ = -1;
  garble_in_ = -1;
  const std::lock_guard lock(mutex_);
  injection_.reset();
}

void WireProxy::accept_all() {
  while (!stopping_) {
    pollfd ready{listener_.get(), POLLIN, 0};
    if (paused_ || ::poll(&ready, 1, poll_ms) != 1) {
      if (paused_) std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
      continue;
    }
    auto link = std::make_unique<Link>();
    link->client = net::FileDescriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    link->server = tcp_socket();
    const sockaddr_in address = address_of(server_);
    if (::connect(link->server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
    const int on = 1;
    ::setsockopt(link->client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(link->server.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Link& mine = *link;
    links_.emplace_back(std::move(link), std::thread([this, &mine] { run(mine); }));
    join_ended();
  }
  for (auto& link : links_) link.second.join();
}

void WireProxy::join_ended() {
  std::erase_if(links_, [](auto& link) {
    if (!link.first->ended) return false;
    link.second.join();
    return true;
  });
}

void WireProxy::run(Link& link) {
  while (!stopping_) {
    if (paused_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
      continue;
    }
    std::array<pollfd, 2> ready = {pollfd{link.client.get(), POLLIN, 0}, pollfd{link.server.get(), POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), poll_ms) <= 0 || paused_) continue;
    if (ready[0].revents != 0 && !forward_request(link)) break;
    if (ready[1].revents != 0 && !forward_reply(link)) break;
  }
  link.client.reset();
  link.server.reset();
  link.ended = true;
}

bool WireProxy::forward_request(Link& link) {
  std::array<char, 65536> buffer;
  const ssize_t received = ::recv(link.client.get(), buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  return send_counted(link.server.get(), std::string(buffer.data(), static_cast<std::size_t>(received)), cut_requests_,
                      request_bytes_);
}

bool WireProxy::forward_reply(Link& link) {
  std::array<char, 65536> buffer;
  const ssize_t received = ::recv(link.server.get(), buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  link.unread.append(buffer.data(), static_cast<std::size_t>(received));
  while (link.unread.size() >= 5) {
    std::uint32_t length = 0;
    std::copy_n(link.unread.data() + 1, 4, reinterpret_cast<char*>(&length));
    const std::size_t whole = 1 + std::size_t{ntohl(length)};
    if (link.unread.size() < whole) break;
    const std::string message = link.unread.substr(0, whole);
    link.unread.erase(0, whole);
    if (!forward_message(link, message)) return false;
  }
  return true;
}

bool WireProxy::forward_message(Link& link, const std::string& message) {
  constexpr char ready_for_query = 'Z';
  if (link.skip_to_ready && message.front() != ready_for_query) return true;
  link.skip_to_ready = false;
  if (garble_in_ >= 0 && garble_in_-- == 0) {
    ++faults_;
    return send_all(link.client.get(), "\x01" + message.substr(1));
  }
  const auto injection = injection_for(message);
  if (!injection) return send_counted(link.client.get(), message, cut_replies_, reply_bytes_);
  ++faults_;
  link.skip_to_ready = true;
  return send_all(link.client.get(), error_response(injection->sqlstate, injection->fatal)) && !injection->fatal;
}

std::optional<WireProxy::Injection> WireProxy::injection_for(const std::string& message) {
  constexpr char command_complete = 'C';
  if (message.front() != command_complete) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (!injection_ || message.compare(5, injection_->command.size(), injection_->command) != 0) return std::nullopt;
  return std::exchange(injection_, std::nullopt);
}

bool WireProxy::send_counted(int to, const std::string& bytes, std::atomic<std::int64_t>& left,
                             std::atomic<std::size_t>& total) {
  total += bytes.size();
  const std::int64_t may_pass = left;
  if (may_pass < 0) return send_all(to, bytes);
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (size < may_pass) {
    left -= size;
    return send_all(to, bytes);
  }
  left = -1;
  ++faults_;
  send_all(to, std::string_view(bytes).substr(0, static_cast<std::size_t>(may_pass)));
  return false;
}

}  // namespace armazem::test
