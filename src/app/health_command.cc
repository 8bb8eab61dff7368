#include "app/health_command.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include "app/command_line.h"
#include "net/file_descriptor.h"

namespace armazem {
namespace {

constexpr timeval patience{3, 0};                // for each step: connect, send, and each read
constexpr std::size_t answer_bytes_max = 65'536;  // the answer has a few hundred
constexpr std::string_view request =
    "GET /health/ready?verbose HTTP/1.1\r\nHost: localhost\r\nUser-Agent: armazem-health\r\nConnection: close\r\n\r\n";

// Who listens everywhere is asked on loopback.
std::string address_to_ask(const std::string& listens) {
  if (listens == "0.0.0.0") return "127.0.0.1";
  return listens == "::" ? "::1" : listens;
}

std::string last_error() { return std::strerror(errno); }

Result<net::FileDescriptor> connect_to(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int wrong = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list); wrong != 0) {
    return fail(ErrorCode::invalid_argument, gai_strerror(wrong));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(list, &freeaddrinfo);
  net::FileDescriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(ErrorCode::unavailable, last_error());
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // bounds connect, too
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) return fail(ErrorCode::unavailable, last_error());
  return socket;
}

Result<std::string> ask(int socket) {
  if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return fail(ErrorCode::unavailable, last_error());
  }
  std::string answer;
  char piece[4096];
  while (answer.size() < answer_bytes_max) {
    const ssize_t size = recv(socket, piece, sizeof piece, 0);
    if (size < 0) return fail(ErrorCode::unavailable, "no answer: " + last_error());
    if (size == 0) break;
    answer.append(piece, static_cast<std::size_t>(size));
  }
  return answer;
}

}  // namespace

int run_health(const Settings& settings, std::ostream& out, std::ostream& err) {
  const std::string address = address_to_ask(settings.server.address);
  const auto complain = [&](std::string_view reason) {
    err << "armazem: nobody is well at " << address << " port " << settings.server.port << ": " << reason << "\n";
    return exit_failure;
  };
  const Result<net::FileDescriptor> socket = connect_to(address, settings.server.port);
  if (!socket) return complain(socket.error().message);
  const Result<std::string> answer = ask(socket->get());
  if (!answer) return complain(answer.error().message);
  const std::size_t head_end = answer->find("\r\n\r\n");
  if (!answer->starts_with("HTTP/1.1 ") || head_end == answer->npos) return complain("it does not speak HTTP/1.1");
  const std::string_view body = std::string_view(*answer).substr(head_end + 4);
  out << body << (body.ends_with('\n') ? "" : "\n");
  return answer->starts_with("HTTP/1.1 200 ") ? 0 : exit_failure;
}

}  // namespace armazem
