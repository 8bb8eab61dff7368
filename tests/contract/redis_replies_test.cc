// The cache against a node that answers in every wrong way: each call ends, with an error the caller can act on, and
// nothing that was said wrongly is believed.
#include <gtest/gtest.h>

#include <array>

#include "adapters/redis/entry_codec.h"
#include "adapters/redis/redis_cache.h"
#include "adapters/redis/scripts.h"
#include "app/system_time.h"
#include "contract/cache_contract.h"
#include "net/loop_group.h"
#include "support/fake_redis.h"
#include "support/redis_cluster.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;
using Command = FakeRedis::Command;
using Said = std::optional<std::string>;

class RedisReplies : public testing::Test {
 protected:
  RedisReplies() { open([](RedisOptions&) {}); }

  template <class Change>
  void open(Change change) {
    cache_.reset();
    RedisOptions options = parse_redis_url(node_.url()).value();
    options.command_timeout = 200ms;
    options.breaker_open = 50ms;
    change(options);
    cache_ = RedisCache::open(options, loops_, time_).value();
  }

  // From now on that is the answer to that command.
  void say(const std::string& name, std::string bytes) {
    node_.answer_with([name, bytes](const Command& command) -> Said {
      if (command[0] != name) return std::nullopt;
      return bytes;
    });
  }

  Result<CacheLookup> get(const std::string& name = "k") {
    const Key wanted = key(name);
    return executor_.run(cache_->get(wanted, soon()));
  }
  Result<void> put() {
    const std::vector<CacheWrite> writes = {{key("k"), record_of("v", 1), CacheWrite::Mode::put}};
    return executor_.run(cache_->write(writes, soon()));
  }
  // The node's word is not believed, and the caller told to go elsewhere.
  void expect_unavailable(const std::string& part) {
    const auto found = get();
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, ErrorCode::unavailable);
    EXPECT_NE(found.error().message.find(part), std::string::npos) << found.error().message;
  }
  void expect_works_again() {
    node_.answer_with(nullptr);
    EXPECT_TRUE(wait_for([&] { return get().has_value(); }, 20s));
  }

  static std::string entry(std::uint64_t epoch, const std::string& value) {
    std::string encoded = redis::encode_entry(record_of(value, 1), 1);
    redis::set_epoch(encoded, epoch);
    return encoded;
  }

  SystemTime time_;
  FakeRedis node_;
  net::LoopGroup loops_{"cache", 1};
  TestExecutor executor_;
  std::unique_ptr<RedisCache> cache_;
};

TEST_F(RedisReplies, WhatIsNotTheProtocolEndsTheConnection) {
  for (const std::string bytes :
       {"?what\r\n", "$abc\r\n", "*2147483647\r\n", "*99999\r\n", "$-7\r\n", "$99999999999999\r\n", ":12x\r\n", "\r\n"}) {
    ASSERT_TRUE(wait_for([&] { return get().has_value(); }, 20s));
    const std::uint64_t before = cache_->figures().protocol_errors;
    say("GET", bytes);
    const auto found = get();
    ASSERT_FALSE(found.has_value()) << bytes;
    EXPECT_EQ(found.error().code, ErrorCode::unavailable);
    EXPECT_EQ(cache_->figures().protocol_errors, before + 1) << bytes;
    expect_works_again();
  }
}

TEST_F(RedisReplies, AReplyOfAnotherKindIsAnError) {
  for (const std::string bytes : {":1\r\n", "+OK\r\n", "*1\r\n$1\r\na\r\n", "-WRONGTYPE Operation against a key\r\n",
                                  "-NOPERM this user has no permissions\r\n", "-ERR unknown\r\n"}) {
    say("GET", bytes);
    EXPECT_FALSE(get().has_value()) << bytes;
    node_.answer_with(nullptr);
    EXPECT_TRUE(get().has_value()) << "the connection is in order";
  }
  say("EVALSHA", "+OK\r\n");
  EXPECT_FALSE(put().has_value());
  say("EVALSHA", "*0\r\n");
  EXPECT_FALSE(get().has_value());
}

// The reply behind it would be taken for that of the next request.
TEST_F(RedisReplies, AReplyThatNobodyAskedForEndsTheConnection) {
  say("GET", "$-1\r\n" + FakeRedis::bulk(entry(1, "of another key")));
  for (int i = 0; i < 50; ++i) {
    const auto found = get();
    EXPECT_FALSE(found && found->record) << found->record->value.bytes;
  }
  EXPECT_GT(cache_->figures().protocol_errors, 0U);
  expect_works_again();
}

TEST_F(RedisReplies, ALateReplyIsNotTakenForTheNext) {
  ASSERT_TRUE(get().has_value());
  say("GET", "");
  expect_unavailable("no answer within 200 ms");
  EXPECT_EQ(cache_->figures().timeouts, 1U);
  expect_works_again();
}

TEST_F(RedisReplies, AConnectionThatIsCutFailsThoseThatWaitAndIsMadeAgain) {
  ASSERT_TRUE(get().has_value());
  const std::uint64_t connects = cache_->figures().connects;
  for (int i = 0; i < 5; ++i) {
    node_.hang_up();
    EXPECT_TRUE(wait_for([&] { return get().has_value(); }, 20s));
  }
  EXPECT_GE(cache_->figures().connects, connects + 5);
}

TEST_F(RedisReplies, ADamagedEntryIsNotServed) {
  const std::string whole = entry(1, "value");
  say("GET", FakeRedis::bulk(whole));
  ASSERT_EQ(get().value().record.value().value.bytes, "value");
  std::string nil_version = whole;
  nil_version.replace(1, 16, 16, '\0');
  std::string wrong_flags = whole;
  wrong_flags[33] = '\x7f';
  const std::vector<std::string> damaged = {"", "E", "X" + whole.substr(1), whole.substr(0, 20), whole.substr(0, 36), nil_version,
                                            wrong_flags, "L12345678"};
  for (const std::string& bytes : damaged) {
    say("GET", FakeRedis::bulk(bytes));
    const auto found = get();
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->record.has_value()) << bytes.size() << " bytes";
  }
  EXPECT_EQ(cache_->figures().misses_damaged, damaged.size());
  say("GET", FakeRedis::bulk(entry(2, "of another epoch")));
  EXPECT_FALSE(get().value().record.has_value());
  EXPECT_EQ(cache_->figures().misses_other_epoch, 1U);
}

TEST_F(RedisReplies, RedirectionsInACircleEnd) {
  ASSERT_TRUE(get().has_value());
  for (const std::string& bytes : {"-MOVED 1 " + node_.address() + "\r\n", "-ASK 1 " + node_.address() + "\r\n",
                                  "-MOVED 1 :" + node_.address().substr(10) + "\r\n", std::string("-TRYAGAIN later\r\n"),
                                  std::string("-NOSCRIPT none\r\n")}) {
    say("GET", bytes);
    const int before = node_.count("GET");
    EXPECT_FALSE(get().has_value());
    EXPECT_EQ(node_.count("GET"), before + 1 + RedisOptions().redirects_max) << bytes;
  }
  expect_works_again();
}

TEST_F(RedisReplies, ARedirectionToNowhereIsAnError) {
  ASSERT_TRUE(get().has_value());
  for (const std::string bytes : {"-MOVED\r\n", "-MOVED 1 nowhere\r\n", "-MOVED 1 h:99999\r\n", "-ASK 1 \r\n",
                                  "-MOVED 1 127.0.0.1:1\r\n", "-ASK 1 127.0.0.1:1\r\n"}) {
    say("GET", bytes);
    const auto found = get();
    ASSERT_FALSE(found.has_value()) << bytes;
    EXPECT_EQ(found.error().code, ErrorCode::unavailable) << bytes;
  }
  expect_works_again();
}

TEST_F(RedisReplies, AskIsAnnouncedAndTryAgainIsTriedAgain) {
  ASSERT_TRUE(get().has_value());
  const auto gets = std::make_shared<int>(0);
  node_.answer_with([gets, this](const Command& command) -> Said {
    if (command[0] != "GET") return std::nullopt;
    ++*gets;
    if (*gets == 1) return "-TRYAGAIN Multiple keys request during rehashing of slot\r\n";
    if (*gets == 2) return "-ASK 1 " + node_.address() + "\r\n";
    return FakeRedis::bulk(entry(1, "asked"));
  });
  EXPECT_EQ(get().value().record.value().value.bytes, "asked");
  const auto seen = node_.seen();
  std::size_t last = seen.size() - 1;
  while (seen[last][0] != "GET") --last;
  EXPECT_EQ(seen[last - 1][0], "ASKING");
  EXPECT_EQ(cache_->figures().ask, 1U);
  EXPECT_EQ(cache_->figures().try_again, 1U);
}

TEST_F(RedisReplies, ANodeThatRefusesIsLeftAloneAndAskedAgainInTheBackground) {
  for (const std::string word : {"CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN", "BUSY"}) {
    ASSERT_TRUE(wait_for([&] { return get().has_value(); }, 20s));
    const std::uint64_t openings = cache_->figures().breaker_openings;
    node_.answer_with([word](const Command& command) -> Said {
      if (command[0] != "GET" && command[0] != "PING") return std::nullopt;
      return "-" + word + " not now\r\n";
    });
    const int before = node_.count("GET");
    for (int i = 0; i < 50; ++i) expect_unavailable(word);
    EXPECT_EQ(cache_->figures().breaker_openings, openings + 1) << word;
    EXPECT_EQ(node_.count("GET"), before + RedisOptions().breaker_failures) << "no request is used to probe";
    const int pings = node_.count("PING");
    EXPECT_TRUE(wait_for([&] { return node_.count("PING") > pings; }, 20s));
    EXPECT_FALSE(get().has_value());
    expect_works_again();
  }
}

TEST_F(RedisReplies, WhenTheMemoryIsFullTheOldEntryGoes) {
  node_.answer_with([](const Command& command) -> Said {
    if (command[0] != "EVALSHA" || command[1] != redis::scripts().put.sha()) return std::nullopt;
    return "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
  });
  EXPECT_TRUE(put().has_value());
  EXPECT_EQ(node_.seen().back()[1], redis::scripts().remove_older.sha());
}

TEST_F(RedisReplies, RepliesMayComeByteByByte) {
  // A node that hangs up behind half a reply, too.
  say("GET", FakeRedis::bulk(entry(1, "value")).substr(0, 20));
  EXPECT_FALSE(get().has_value());
  expect_works_again();
}

TEST_F(RedisReplies, RequestsBeyondTheBoundAreRefusedAtOnce) {
  open([](RedisOptions& options) { options.waiting_max = 4; });
  ASSERT_TRUE(get().has_value());
  say("GET", "");
  int overloaded = 0;
  int unavailable = 0;
  const Key wanted = key("k");
  const auto reader = [&]() -> Task<void> {
    const auto found = co_await cache_->get(wanted, soon());
    overloaded += !found && found.error().code == ErrorCode::overloaded ? 1 : 0;
    unavailable += !found && found.error().code == ErrorCode::unavailable ? 1 : 0;
  };
  const auto root = [&]() -> Task<void> {
    TaskScope scope(loops_[0]);
    for (int i = 0; i < 10; ++i) scope.spawn(reader());
    co_await scope.join();
  };
  net::run_to_end(loops_[0], root());
  EXPECT_GE(overloaded, 6);
  EXPECT_EQ(overloaded + unavailable, 10);
  EXPECT_GE(cache_->figures().overloaded, 6U);
  expect_works_again();
}

TEST_F(RedisReplies, AViewThatMakesNoSenseIsNotTaken) {
  open([](RedisOptions& options) { options.refresh_period = 20ms; });
  ASSERT_TRUE(get().has_value());
  for (const std::string& bytes : {FakeRedis::bulk("garbage\n"), FakeRedis::bulk(""), std::string("-ERR no\r\n"),
                                   std::string(":1\r\n"), FakeRedis::bulk(node_.nodes().substr(0, 90))}) {
    say("CLUSTER", bytes);
    const std::uint64_t rounds = cache_->figures().refreshes;
    ASSERT_TRUE(wait_for([&] { return cache_->figures().refreshes >= rounds + 2; }, 20s));
    EXPECT_TRUE(get().has_value()) << "the last good view holds";
  }
}

TEST_F(RedisReplies, AWrongPasswordShowsInTheHealth) {
  say("AUTH", "-WRONGPASS invalid username-password pair\r\n");
  open([](RedisOptions& options) { options.password = "secret-word"; });
  EXPECT_TRUE(wait_for([&] { return cache_->health().detail.find("WRONGPASS") != std::string::npos; }, 20s));
  EXPECT_FALSE(cache_->health().ok);
  EXPECT_EQ(cache_->health().detail.find("secret-word"), std::string::npos);
  expect_unavailable("");
  expect_works_again();
  EXPECT_TRUE(wait_for([&] { return cache_->health().ok; }, 20s));
}

TEST_F(RedisReplies, AUserWithoutTheRightsShowsInTheHealth) {
  say("EVALSHA", "-ERR The user executing the script can't run this command or subcommand script: x\r\n");
  EXPECT_FALSE(get().has_value());
  EXPECT_TRUE(wait_for([&] { return cache_->health().detail.find("getrange") != std::string::npos; }, 20s));
  EXPECT_FALSE(cache_->health().ok);
  expect_works_again();
  EXPECT_TRUE(wait_for([&] { return cache_->health().ok; }, 20s)) << cache_->health().detail;
}

}  // namespace
}  // namespace armazem::test
