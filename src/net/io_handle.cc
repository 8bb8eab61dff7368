#include "net/io_handle.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace armazem::net {
namespace {

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

IoHandle::IoHandle(FileDescriptor descriptor, IoLoop& loop) : descriptor_(std::move(descriptor)), loop_(loop) {
  loop_.watch(descriptor_.get(), *this);
}

void IoHandle::on_events(std::uint32_t events) {
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  IoOperation* const received = receiving_ != nullptr && receiving_->attempt() ? std::exchange(receiving_, nullptr) : nullptr;
  IoOperation* const sent = sending_ != nullptr && sending_->attempt() ? std::exchange(sending_, nullptr) : nullptr;
  // A resumed coroutine may destroy this handle, so the second of two is only posted.
  if (received != nullptr && sent != nullptr) loop_.post(sent->self_);
  if (IoOperation* const ended = received != nullptr ? received : sent) ended->self_.resume();
}

void IoHandle::cancel() {
  for (IoOperation** slot : {&receiving_, &sending_}) {
    if (*slot == nullptr) continue;
    IoOperation& operation = *std::exchange(*slot, nullptr);
    operation.fail(ECANCELED);
    loop_.post(operation.self_);
  }
}

void IoHandle::shutdown_send() noexcept { ::shutdown(descriptor_.get(), SHUT_WR); }

bool ReadSome::attempt() {
  if (!readable()) return false;
  const ssize_t received = ::recv(descriptor(), buffer_.data(), buffer_.size(), 0);
  if (received > 0) {
    result_.bytes = static_cast<std::size_t>(received);
    if (result_.bytes < buffer_.size()) drained();
    return true;
  }
  if (received < 0 && errno == EINTR) return attempt();
  if (received < 0 && would_block(errno)) {
    drained();
    return false;
  }
  result_.error = received == 0 ? end_of_stream : errno;
  return true;
}

bool WriteAll::attempt() {
  while (!pieces_[0].empty() || !pieces_[1].empty()) {
    ssize_t sent = 0;
    if (pieces_[1].empty()) {
      sent = ::send(descriptor(), pieces_[0].data(), pieces_[0].size(), MSG_NOSIGNAL);
    } else {
      std::array<iovec, 2> parts{};
      for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = {const_cast<char*>(pieces_[i].data()), pieces_[i].size()};
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      sent = ::sendmsg(descriptor(), &message, MSG_NOSIGNAL);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (would_block(errno)) return false;
      result_.error = errno;
      return true;
    }
    consume(static_cast<std::size_t>(sent));
  }
  return true;
}

void WriteAll::consume(std::size_t sent) noexcept {
  result_.bytes += sent;
  for (std::string_view& piece : pieces_) {
    const std::size_t part = std::min(sent, piece.size());
    piece.remove_prefix(part);
    sent -= part;
  }
}

bool AcceptNext::attempt() {
  const int accepted = ::accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted >= 0) {
    accepted_.socket = FileDescriptor(accepted);
    return true;
  }
  // ECONNABORTED: the client was gone before its turn.
  if (errno == EINTR || errno == ECONNABORTED) return attempt();
  if (would_block(errno)) return false;
  accepted_.error = errno;
  return true;
}

bool Connected::attempt() {
  socklen_t size = sizeof error_;
  if (::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error_, &size) != 0) error_ = errno;
  if (error_ != 0) return true;
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  return ::getpeername(descriptor(), reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0;
}

}  // namespace armazem::net
