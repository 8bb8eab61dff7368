#include "faults/http_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <optional>

namespace armazem::faults {
namespace {

// The value of a header; `head` is everything up to the empty line.
std::optional<std::string_view> header_of(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    std::string_view value = line.substr(name.size() + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return std::nullopt;
}

std::string unquoted(std::string_view tag) {
  if (tag.size() >= 2 && tag.front() == '"') tag = tag.substr(1, tag.size() - 2);
  return std::string(tag);
}

}  // namespace

bool HttpConnection::connect() {
  if (socket_.get() >= 0) return true;
  socket_ = net::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{2, 0};  // of connect and of sends
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  socket_.reset();
  return false;
}

bool HttpConnection::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpConnection::receive_some(std::string& into) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now()).count();
  pollfd ready{socket_.get(), POLLIN, 0};
  if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) != 1) return false;
  std::array<char, 16'384> buffer;
  const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (got > 0) into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

bool HttpConnection::receive(HttpAnswer& answer) {
  std::string bytes;
  std::size_t end = std::string::npos;
  while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
    if (!receive_some(bytes)) return false;
  }
  const std::string head = bytes.substr(0, end);
  bytes.erase(0, end + 4);
  int status = 0;
  if (head.size() < 12 || std::from_chars(head.data() + 9, head.data() + 12, status).ec != std::errc()) return false;
  std::size_t length = 0;
  if (const auto text = header_of(head, "Content-Length")) {
    std::from_chars(text->data(), text->data() + text->size(), length);
  } else if (status != 204) {
    return false;  // neither our servers nor NGINX in front of them answer without
  }
  while (bytes.size() < length) {
    if (!receive_some(bytes)) return false;
  }
  answer.status = status;
  answer.body = bytes.substr(0, length);
  const auto version = header_of(head, "Armazem-Version");
  const auto tag = header_of(head, "ETag");
  answer.version = version ? std::string(*version) : tag ? unquoted(*tag) : "";
  answer.from_cache = header_of(head, "Armazem-Source") == "cache";
  const auto connection = header_of(head, "Connection");
  if (connection && ::strncasecmp(connection->data(), "close", 5) == 0) socket_.reset();
  return true;
}

HttpAnswer HttpConnection::ask(std::string_view request) {
  HttpAnswer answer;
  if (!connect()) return answer;
  answer.was_sent = true;
  deadline_ = std::chrono::steady_clock::now() + timeout_;
  if (!send(request) || !receive(answer)) socket_.reset();
  return answer;
}

void HttpConnection::ask_and_leave(std::string_view request) {
  if (connect()) (void)send(request);
  socket_.reset();
}

}  // namespace armazem::faults
