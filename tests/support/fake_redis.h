// A Redis node that says what a test tells it to: a cluster of one that serves all slots, until it is told otherwise.
//
// Thread rule: `answer` runs on the node's own threads, one call at a time.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/reply.h"
#include "net/listen_socket.h"

namespace armazem::test {

class FakeRedis {
 public:
  using Command = std::vector<std::string>;
  // The bytes to answer with, "" for no answer at all, nullopt for what a node in order would say.
  using Answer = std::function<std::optional<std::string>(const Command&)>;

  FakeRedis() : listener_(net::listen_on("127.0.0.1", 0, true).value()) {
    // listen_on's sockets do not block; these threads do.
    acceptor_ = std::thread([this] { accept_until_closed(); });
  }
  ~FakeRedis() {
    closing_ = true;
    ::shutdown(listener_.descriptor.get(), SHUT_RDWR);
    acceptor_.join();
    hang_up();
    for (std::thread& thread : threads_) thread.join();
  }
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(listener_.port); }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(listener_.port); }
  void answer_with(Answer answer) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(answer);
  }
  // Every connection there is.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  // How often a command of that name came, from the beginning.
  [[nodiscard]] int count(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    int count = 0;
    for (const Command& command : seen_) count += command.front() == name ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::vector<Command> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  static std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }
  [[nodiscard]] std::string nodes() const {
    return std::string(40, 'a') + " " + address() + "@1 myself,master - 0 0 1 connected 0-16383\n";
  }

 private:
  void accept_until_closed() {
    while (!closing_) {
      const int socket = ::accept4(listener_.descriptor.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket] { serve(socket); });
    }
  }

  void serve(int socket) {
    redis::ReplyParser parser;  // a command has the form of a reply: an array of bulks
    std::array<char, 4096> buffer;
    while (true) {
      const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      parser.feed({buffer.data(), static_cast<std::size_t>(got)});
      redis::Reply request;
      while (parser.next(request) == redis::ReplyParser::Step::reply) {
        Command command;
        for (const redis::Reply& item : request.items) command.push_back(item.text);
        const std::string reply = reply_to(command);
        if (::send(socket, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    const std::lock_guard lock(mutex_);
    std::erase(sockets_, socket);
    ::close(socket);
  }

  std::string reply_to(const Command& command) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(command);
    if (answer_) {
      if (auto said = answer_(command)) return *said;
    }
    if (command[0] == "PING") return "+PONG\r\n";
    if (command[0] == "AUTH" || command[0] == "ASKING") return "+OK\r\n";
    if (command[0] == "CLUSTER") return bulk(nodes());
    if (command[0] == "GET") return "$-1\r\n";
    return ":1\r\n";
  }

  net::ListenSocket listener_;
  std::atomic<bool> closing_{false};
  std::thread acceptor_;
  mutable std::mutex mutex_;
  Answer answer_;               // guarded by mutex_
  std::vector<Command> seen_;   // guarded by mutex_
  std::vector<int> sockets_;    // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace armazem::test
