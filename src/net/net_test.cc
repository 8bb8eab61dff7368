// Loops with threads of their own, tasks that visit them, addresses, and sockets that a driver owns.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/run_at.h"
#include "net/borrowed_socket.h"
#include "net/connect.h"
#include "net/io_handle.h"
#include "net/listen_socket.h"
#include "net/loop_group.h"
#include "support/run_task.h"

namespace armazem::net {
namespace {

using namespace std::chrono_literals;

TEST(HostPort, IsParsedStrictly) {
  const auto parsed = [](std::string_view text) {
    const Result<HostPort> result = parse_host_port(text, 7);
    return result ? result->text() : std::string(to_string(result.error().code));
  };
  EXPECT_EQ(parsed("redis-1"), "redis-1:7");
  EXPECT_EQ(parsed("10.0.0.1:6379"), "10.0.0.1:6379");
  EXPECT_EQ(parsed("[::1]:6379"), "[::1]:6379");
  EXPECT_EQ(parsed("[::1]"), "[::1]:7");
  for (const char* text : {"", ":1", "h:", "h:0", "h:65536", "h:1x", "h:-1", "::1", "[::1", "[::1]1", "[]:1"}) {
    EXPECT_FALSE(parse_host_port(text, 7)) << text;
  }
}

TEST(Resolver, NamesAndNumbers) {
  Resolver resolver;
  const auto numeric = test::run_task(resolver.resolve({"127.0.0.1", 80}));
  ASSERT_TRUE(numeric && numeric->size() == 1);
  EXPECT_EQ(numeric->front().host_text(), "127.0.0.1");
  EXPECT_TRUE(test::run_task(resolver.resolve({"localhost", 80})));
  const auto unknown = test::run_task(resolver.resolve({"no-such-host.invalid", 80}));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::unavailable);
}

TEST(LoopGroup, EachLoopKnowsItself) {
  LoopGroup loops("test", 3);
  EXPECT_EQ(loops.index_here(), loops.size());
  for (std::size_t i = 0; i < loops.size(); ++i) {
    std::size_t here = 99;
    const auto visit = [&]() -> Task<void> {
      here = loops.index_here();
      co_return;
    };
    run_to_end(loops[i], visit());
    EXPECT_EQ(here, i);
  }
}

Task<int> on_its_own_thread(std::thread::id& seen) {
  co_await sleep_until(MonotonicClock::now() + 1ms);  // a timer of the loop that it runs on
  seen = std::this_thread::get_id();
  co_return 42;
}

TEST(RunAt, TheTaskBelongsToThatLoopAndTheAwaiterComesBack) {
  LoopGroup loops("test", 1);
  std::thread::id there;
  std::thread::id back;
  const auto root = [&]() -> Task<int> {
    const int answer = co_await run_at(loops[0], on_its_own_thread(there));
    back = std::this_thread::get_id();
    co_return answer;
  };
  EXPECT_EQ(test::run_task(root()), 42);
  EXPECT_NE(there, std::this_thread::get_id());
  EXPECT_EQ(back, std::this_thread::get_id());
}

TEST(RunAt, ExceptionsComeBackToo) {
  LoopGroup loops("test", 1);
  const auto thrower = []() -> Task<int> {
    co_await yield_now();
    throw std::runtime_error("from there");
  };
  const auto root = [&]() -> Task<std::string> {
    try {
      co_await run_at(loops[0], thrower());
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
    co_return "nothing was thrown";
  };
  EXPECT_EQ(test::run_task(root()), "from there");
}

int connect_from_loop(IoLoop& loop, const SocketAddress& address) {
  int error = -1;
  const auto root = [&]() -> Task<void> {
    Result<FileDescriptor> socket = begin_connect(address);
    if (!socket) co_return;
    IoHandle handle(std::move(*socket), loop);
    Connected connected(handle);
    error = co_await connected;
  };
  run_to_end(loop, root());
  return error;
}

TEST(Connected, SaysWhetherTheConnectionStands) {
  LoopGroup loops("test", 1);
  Resolver resolver;
  std::optional<ListenSocket> listening(listen_on("127.0.0.1", 0, true).value());
  const SocketAddress address = test::run_task(resolver.resolve({"127.0.0.1", listening->port}))->front();
  EXPECT_EQ(connect_from_loop(loops[0], address), 0);
  listening.reset();
  EXPECT_EQ(connect_from_loop(loops[0], address), ECONNREFUSED);
}

TEST(IoHandle, OneMayReceiveWhileAnotherSends) {
  LoopGroup loops("test", 1);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  const std::string large(4 << 20, 'x');  // more than the socket holds: the sender has to wait for readiness too
  std::string echoed;
  const auto root = [&]() -> Task<void> {
    IoHandle left(FileDescriptor{ends[0]}, loops[0]);
    IoHandle right(FileDescriptor{ends[1]}, loops[0]);
    TaskScope scope(loops[0]);
    const auto echo = [&]() -> Task<void> {
      std::string buffer(64 << 10, '\0');
      for (std::size_t seen = 0; seen < large.size();) {
        ReadSome read(right, buffer);
        const IoResult got = co_await read;
        WriteAll write(right, std::string_view(buffer).substr(0, got.bytes), {});
        co_await write;
        seen += got.bytes;
      }
    };
    const auto send = [&]() -> Task<void> {
      WriteAll write(left, large, {});
      co_await write;
    };
    const auto receive = [&]() -> Task<void> {
      std::string buffer(64 << 10, '\0');
      while (echoed.size() < large.size()) {
        ReadSome read(left, buffer);
        const IoResult got = co_await read;
        echoed.append(buffer, 0, got.bytes);
      }
    };
    scope.spawn(receive());
    scope.spawn(send());
    scope.spawn(echo());
    co_await scope.join();
  };
  run_to_end(loops[0], root());
  EXPECT_EQ(echoed, large);
}

class BorrowedSocketTest : public testing::Test {
 protected:
  BorrowedSocketTest() { ARMAZEM_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends_) == 0); }
  ~BorrowedSocketTest() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  LoopGroup loops_{"test", 1};
  int ends_[2];
};

TEST_F(BorrowedSocketTest, BytesLeftInItAreReportedAgain) {
  int events = 0;
  const auto root = [&]() -> Task<void> {
    BorrowedSocket socket(ends_[0], loops_[0]);
    EXPECT_EQ(::write(ends_[1], "ab", 2), 2);
    for (int i = 0; i < 2; ++i) {
      auto wait = socket.readable();
      if (co_await wait) ++events;
      char one = 0;
      EXPECT_EQ(::read(ends_[0], &one, 1), 1);
    }
  };
  run_to_end(loops_[0], root());
  EXPECT_EQ(events, 2);
}

TEST_F(BorrowedSocketTest, ACancelledWaitSaysSo) {
  bool ready = true;
  const auto root = [&]() -> Task<void> {
    BorrowedSocket socket(ends_[0], loops_[0]);
    TaskScope scope(loops_[0]);
    const auto waiter = [&]() -> Task<void> {
      auto wait = socket.readable();
      ready = co_await wait;
    };
    scope.spawn(waiter());
    socket.cancel();
    co_await scope.join();
  };
  run_to_end(loops_[0], root());
  EXPECT_FALSE(ready);
}

TEST_F(BorrowedSocketTest, AnotherMayTakeTheDescriptorAfterIt) {
  const auto root = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      BorrowedSocket socket(ends_[0], loops_[0]);
      auto wait = socket.writable();
      EXPECT_TRUE(co_await wait);
    }
  };
  run_to_end(loops_[0], root());
}

}  // namespace
}  // namespace armazem::net
