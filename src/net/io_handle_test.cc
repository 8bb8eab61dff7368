// Sockets on a loop: what a coroutine waits for, and how its waiting ends.
#include "net/io_handle.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/task.h"
#include "core/task_scope.h"
#include "net/listen_socket.h"

namespace armazem::net {
namespace {

// A connected pair: our end on the loop, the other end with plain blocking calls.
class Pair {
 public:
  explicit Pair(IoLoop& loop) {
    int ends[2];
    ARMAZEM_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    theirs = FileDescriptor(ends[1]);
    FileDescriptor mine(::fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 ? ends[0] : -1);
    ours.emplace(std::move(mine), loop);
  }
  void they_send(std::string_view text) const {
    ASSERT_EQ(::send(theirs.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void they_send_no_more() const { ::shutdown(theirs.get(), SHUT_WR); }

  std::optional<IoHandle> ours;
  FileDescriptor theirs;
};

// Gives the loop a turn, so that it sees what has happened to its sockets.
Task<void> turn() { co_await sleep_until(MonotonicClock::now() + std::chrono::milliseconds(1)); }

struct Received {
  bool ended = false;
  int error = 0;
  std::string text;
};

Task<void> receive(IoHandle& from, Received& into, std::size_t room = 64) {
  std::string buffer(room, '\0');
  ReadSome read(from, buffer);
  const IoResult result = co_await read;
  into = {true, result.error, buffer.substr(0, result.bytes)};
}

struct Sent {
  bool ended = false;
  IoResult result;
};

Task<void> send(IoHandle& to, std::string_view first, std::string_view second, Sent& into) {
  WriteAll write(to, first, second);
  const IoResult result = co_await write;
  into = {true, result};
}

class IoHandleTest : public testing::Test {
 protected:
  // Runs a test's body on the loop, to its end and that of all it has spawned.
  template <class Body>
  void on_loop(Body body) {
    const auto all = [&]() -> Task<void> {
      co_await resume_on(loop_);
      co_await body();
      co_await scope_.join();
      pair_.reset();
      loop_.finish();
    };
    pair_.emplace(loop_);
    start_root(loop_, all());
    loop_.run();
  }
  IoHandle& ours() { return *pair_->ours; }

  IoLoop loop_;
  TaskScope scope_{loop_};
  std::optional<Pair> pair_;
};

// Receiving ------------------------------------------------------------------------------------------------------------

TEST_F(IoHandleTest, WhatIsThereIsReceivedAtOnce) {
  on_loop([this]() -> Task<void> {
    pair_->they_send("hello");
    Received received;
    scope_.spawn(receive(ours(), received));
    EXPECT_TRUE(received.ended) << "without a turn of the loop";
    EXPECT_EQ(received.text, "hello");
    co_return;
  });
}

TEST_F(IoHandleTest, WhatIsNotThereYetIsWaitedFor) {
  on_loop([this]() -> Task<void> {
    for (const char* text : {"first", "second", "third"}) {
      Received received;
      scope_.spawn(receive(ours(), received));
      co_await turn();
      EXPECT_FALSE(received.ended);
      pair_->they_send(text);
      co_await scope_.join();
      EXPECT_EQ(received.text, text);
      EXPECT_EQ(received.error, 0);
    }
  });
}

TEST_F(IoHandleTest, MoreThanTheBufferHoldsIsLeftForTheNext) {
  on_loop([this]() -> Task<void> {
    pair_->they_send("0123456789");
    std::string all;
    for (int i = 0; i < 4; ++i) {
      Received received;
      co_await receive(ours(), received, 3);
      EXPECT_LE(received.text.size(), 3U);
      all += received.text;
    }
    EXPECT_EQ(all, "0123456789");
  });
}

TEST_F(IoHandleTest, TheEndOfTheStreamIsToldAsOftenAsOneAsks) {
  on_loop([this]() -> Task<void> {
    pair_->they_send("last");
    pair_->they_send_no_more();
    Received received;
    co_await receive(ours(), received);
    EXPECT_EQ(received.text, "last");
    for (int i = 0; i < 2; ++i) {
      co_await receive(ours(), received);
      EXPECT_EQ(received.error, end_of_stream);
    }
  });
}

// The event comes while nobody receives; none comes later.
TEST_F(IoHandleTest, AnEndThatCameWhileNobodyWaitedIsSeen) {
  on_loop([this]() -> Task<void> {
    Received received;
    scope_.spawn(receive(ours(), received));
    pair_->they_send("a");
    co_await scope_.join();  // short of the buffer: nothing was left
    pair_->they_send("last");
    pair_->they_send_no_more();
    co_await turn();
    co_await receive(ours(), received);
    EXPECT_EQ(received.text, "last");
    co_await receive(ours(), received);
    EXPECT_EQ(received.error, end_of_stream);
  });
}

TEST_F(IoHandleTest, AHalfClosedClientStillGetsItsAnswer) {
  on_loop([this]() -> Task<void> {
    pair_->they_send_no_more();
    Received received;
    co_await receive(ours(), received);
    EXPECT_EQ(received.error, end_of_stream);
    Sent sent;
    co_await send(ours(), "ans", "wer", sent);
    EXPECT_EQ(sent.result.error, 0);
    EXPECT_EQ(sent.result.bytes, 6U);
    char buffer[16];
    EXPECT_EQ(::recv(pair_->theirs.get(), buffer, sizeof buffer, 0), 6);
    EXPECT_EQ(std::string_view(buffer, 6), "answer");
  });
}

TEST_F(IoHandleTest, TheirEndThatGoesAwayEndsTheWaiting) {
  on_loop([this]() -> Task<void> {
    Received received;
    scope_.spawn(receive(ours(), received));
    co_await turn();
    pair_->theirs.reset();
    co_await scope_.join();
    EXPECT_NE(received.error, 0);
  });
}

TEST_F(IoHandleTest, ShutdownSendIsTheirEndOfStream) {
  on_loop([this]() -> Task<void> {
    ours().shutdown_send();
    char byte = 0;
    EXPECT_EQ(::recv(pair_->theirs.get(), &byte, 1, 0), 0);
    co_return;
  });
}

// Cancelling -----------------------------------------------------------------------------------------------------------

TEST_F(IoHandleTest, CancelEndsTheOperationThatWaitsAndNoOther) {
  on_loop([this]() -> Task<void> {
    ours().cancel();  // nobody waits: nothing happens
    Received received;
    scope_.spawn(receive(ours(), received));
    co_await turn();
    EXPECT_FALSE(received.ended);
    ours().cancel();
    EXPECT_FALSE(received.ended) << "it resumes by a post, not inside of cancel";
    ours().cancel();
    co_await scope_.join();
    EXPECT_EQ(received.error, ECANCELED);
    pair_->they_send("later");
    co_await receive(ours(), received);
    EXPECT_EQ(received.error, 0);
    EXPECT_EQ(received.text, "later");
  });
}

TEST_F(IoHandleTest, CancelEndsAWriteThatWaits) {
  on_loop([this]() -> Task<void> {
    const std::string much(std::size_t{16} << 20, 'x');
    Sent sent;
    scope_.spawn(send(ours(), much, {}, sent));
    co_await turn();
    EXPECT_FALSE(sent.ended) << "nobody reads";
    ours().cancel();
    co_await scope_.join();
    EXPECT_EQ(sent.result.error, ECANCELED);
    EXPECT_LT(sent.result.bytes, much.size());
  });
}

// Sending --------------------------------------------------------------------------------------------------------------

TEST_F(IoHandleTest, ALargeWriteReachesASlowReaderWhole) {
  std::string first(std::size_t{3} << 20, '\0');
  std::string second(std::size_t{5} << 20, '\0');
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<char>(i * 7);
  for (std::size_t i = 0; i < second.size(); ++i) second[i] = static_cast<char>(i * 11);
  std::string got;
  std::thread reader;
  on_loop([&, this]() -> Task<void> {
    reader = std::thread([&got, from = pair_->theirs.get()] {
      char buffer[10'007];  // small, and no power of two
      for (ssize_t count = 0; (count = ::recv(from, buffer, sizeof buffer, 0)) > 0;)
        got.append(buffer, static_cast<std::size_t>(count));
    });
    Sent sent;
    co_await send(ours(), first, second, sent);
    EXPECT_EQ(sent.result.error, 0);
    EXPECT_EQ(sent.result.bytes, first.size() + second.size());
    ours().shutdown_send();
    reader.join();
  });
  EXPECT_TRUE(got == first + second) << got.size();
}

TEST_F(IoHandleTest, AnEmptyWriteIsDone) {
  on_loop([this]() -> Task<void> {
    Sent sent;
    co_await send(ours(), {}, {}, sent);
    EXPECT_EQ(sent.result.error, 0);
    EXPECT_EQ(sent.result.bytes, 0U);
    co_await send(ours(), {}, "second only", sent);
    EXPECT_EQ(sent.result.bytes, 11U);
  });
}

TEST_F(IoHandleTest, WritingToNobodyFailsWithoutASignal) {
  on_loop([this]() -> Task<void> {
    pair_->theirs.reset();
    Sent sent;
    co_await send(ours(), "x", "y", sent);
    EXPECT_EQ(sent.result.error, EPIPE);
  });
}

TEST_F(IoHandleTest, AWaitingWriteLearnsThatTheReaderIsGone) {
  on_loop([this]() -> Task<void> {
    const std::string much(std::size_t{16} << 20, 'x');
    Sent sent;
    scope_.spawn(send(ours(), much, {}, sent));
    co_await turn();
    EXPECT_FALSE(sent.ended);
    pair_->theirs.reset();
    co_await scope_.join();
    EXPECT_NE(sent.result.error, 0);
  });
}

// The event that a receiver needs may come while the socket waits to send.
TEST_F(IoHandleTest, WhatArrivesDuringAWriteIsNotForgotten) {
  const std::string much(std::size_t{8} << 20, 'x');
  on_loop([&, this]() -> Task<void> {
    Received received;
    scope_.spawn(receive(ours(), received));
    pair_->they_send("a");
    co_await scope_.join();
    Sent sent;
    scope_.spawn(send(ours(), much, {}, sent));
    co_await turn();
    pair_->they_send("b");
    co_await turn();
    std::thread reader([&much, from = pair_->theirs.get()] {
      std::string buffer(1 << 20, '\0');
      for (std::size_t left = much.size(); left > 0;)
        left -= static_cast<std::size_t>(::recv(from, buffer.data(), buffer.size(), 0));
    });
    co_await scope_.join();
    reader.join();
    EXPECT_EQ(sent.result.error, 0);
    co_await receive(ours(), received);
    EXPECT_EQ(received.text, "b");
  });
}

// Accepting ------------------------------------------------------------------------------------------------------------

FileDescriptor connect_to(std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

Task<void> accept(IoHandle& listener, std::vector<int>& errors, int times) {
  for (int i = 0; i < times; ++i) {
    AcceptNext next(listener);
    const AcceptNext::Accepted accepted = co_await next;
    errors.push_back(accepted.socket.is_open() ? 0 : accepted.error);
  }
}

TEST_F(IoHandleTest, ConnectionsAreAcceptedWhetherTheyComeBeforeOrAfter) {
  on_loop([this]() -> Task<void> {
    auto listening = listen_on("127.0.0.1", 0, true);
    IoHandle listener(std::move(listening->descriptor), loop_);
    const FileDescriptor before_one = connect_to(listening->port);
    const FileDescriptor before_two = connect_to(listening->port);
    std::vector<int> errors;
    scope_.spawn(accept(listener, errors, 4));
    co_await turn();
    EXPECT_EQ(errors, std::vector<int>(2, 0));
    const FileDescriptor after = connect_to(listening->port);
    while (errors.size() < 3) co_await turn();
    listener.cancel();
    co_await scope_.join();
    EXPECT_EQ(errors, (std::vector<int>{0, 0, 0, ECANCELED}));
  });
}

}  // namespace
}  // namespace armazem::net
