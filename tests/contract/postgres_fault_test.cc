// What becomes of a call when the connection or the server fails in the middle of it. Each test ends by proving that the
// store works again.
#include "contract/postgres_fixture.h"

namespace armazem::test {
namespace {

ErrorCode code_of(const Result<std::vector<Outcome>>& result) {
  return result ? ErrorCode::internal : result.error().code;
}

// Exactly once, whatever the client was told meanwhile.
void expect_applied_once(const Result<std::vector<Outcome>>& result, const std::optional<Record>& record, Version at) {
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_EQ(result->front().verdict, Verdict::applied);
  EXPECT_EQ(result->front().version, at);
  ASSERT_TRUE(record.has_value());
  ASSERT_EQ(record->history.entries().size(), 1U);
  EXPECT_EQ(record->version, at);
}

TEST_F(PostgresFaultTest, AReplyThatIsCutAtAnyByteLeavesTheWriteAppliedOnce) {
  const std::size_t before = proxy_->reply_bytes();
  ASSERT_TRUE(apply(*store_, {put("measure", "v", 1)}).has_value());
  const std::size_t all = proxy_->reply_bytes() - before;
  ASSERT_GT(all, 100U);
  std::uint64_t ambiguous = 0;
  for (std::size_t cut = 1; cut <= all; cut += 3) {
    const std::string name = "k" + std::to_string(cut);
    proxy_->cut_replies_after(cut);
    const auto result = apply(*store_, {put(name, "v", cut)});
    proxy_->calm();
    expect_applied_once(result, get(*store_, name).value(), version(cut, cut));
    if (result && result->front().replayed) ++ambiguous;
  }
  EXPECT_GT(ambiguous, 0U) << "no cut hit the answer to a COMMIT";
  EXPECT_GT(proxy_->faults(), all / 4);
  EXPECT_GE(store_->figures().commits_ambiguous, ambiguous);
}

TEST_F(PostgresFaultTest, ARequestThatIsCutAtAnyByteLeavesTheWriteAppliedOnce) {
  const std::size_t before = proxy_->request_bytes();
  ASSERT_TRUE(apply(*store_, {put("measure", "v", 1)}).has_value());
  const std::size_t all = proxy_->request_bytes() - before;
  for (std::size_t cut = 1; cut <= all; cut += 7) {
    const std::string name = "k" + std::to_string(cut);
    proxy_->cut_requests_after(cut);
    const auto result = apply(*store_, {put(name, "v", cut)});
    proxy_->calm();
    expect_applied_once(result, get(*store_, name).value(), version(cut, cut));
  }
}

TEST_F(PostgresFaultTest, ErrorsInPlaceOfARepliesAreRetried) {
  std::uint64_t ms = 10;
  for (const char* const command : {"BEGIN", "SELECT", "COMMIT"}) {
    for (const auto& [sqlstate, fatal] :
         {std::pair("40001", false), {"40003", false}, {"40P01", false}, {"57P01", true}}) {
      const std::string name = std::string(command) + sqlstate;
      const std::size_t faults = proxy_->faults();
      proxy_->answer_instead(command, sqlstate, fatal);
      const auto result = apply(*store_, {put(name, "v", ++ms)});
      EXPECT_EQ(proxy_->faults(), faults + 1) << name;
      expect_applied_once(result, get(*store_, name).value(), version(ms, ms));
    }
  }
  EXPECT_GT(store_->figures().retries, 10U);
}

// What the driver says itself has no SQLSTATE. It is no verdict on the data: nobody may set the write aside for it.
TEST_F(PostgresFaultTest, AGarbledAnswerIsALostConnectionAndNoRefusal) {
  constexpr int messages_of_a_write = 24;
  for (int message = 0; message < messages_of_a_write; ++message) {
    const std::string name = "k" + std::to_string(message);
    const std::uint64_t at = static_cast<std::uint64_t>(message) + 1;
    proxy_->garble_after(message);
    const auto result = apply(*store_, {put(name, "v", at)});
    proxy_->calm();
    expect_applied_once(result, get(*store_, name).value(), version(at, at));
  }
  EXPECT_GT(proxy_->faults(), 5U);
}

TEST_F(PostgresFaultTest, AnUnansweredCommitIsUnknownAndOneThatWasNeverSentIsNot) {
  // The server commits; its answer is lost, and then everything stands still.
  proxy_->answer_instead("COMMIT", "57P01", true);
  const std::size_t faults = proxy_->faults();
  std::thread pauses([&] {
    eventually([&] { return proxy_->faults() > faults; });
    proxy_->pause();
  });
  const auto unknown = apply(*store_, {put("k", "v", 10)}, in_ms(700));
  pauses.join();
  if (!unknown) {  // else the retry was faster than the pause
    EXPECT_EQ(code_of(unknown), ErrorCode::outcome_unknown) << unknown.error().message;
  }
  const auto never_sent = apply(*store_, {put("other", "v", 11)}, in_ms(300));
  ASSERT_FALSE(never_sent.has_value());
  EXPECT_TRUE(code_of(never_sent) == ErrorCode::deadline_exceeded || code_of(never_sent) == ErrorCode::unavailable);

  proxy_->resume();
  ASSERT_TRUE(eventually([&] { return health(*store_).ok; }));
  EXPECT_EQ(bytes(*store_, "other"), "(none)");
  EXPECT_EQ(bytes(*store_, "k"), "v");
  EXPECT_TRUE(apply(*store_, {put("k", "v", 10)}).value().front().replayed);
}

TEST_F(PostgresFaultTest, WhileTheServerStandsStillCallsEndByTheirDeadlines) {
  proxy_->pause();
  const MonotonicTime begin = MonotonicClock::now();
  const auto read = get(*store_, "warm", in_ms(200));
  const auto written = apply(*store_, {put("k", "v", 10)}, in_ms(200));
  ScanRequest all;
  const auto page = executor_.run(store_->scan(all, in_ms(200)));
  const auto purged = executor_.run(store_->purge({epoch_ms, 10}, in_ms(200)));
  const auto took = MonotonicClock::now() - begin;
  EXPECT_FALSE(read.has_value());
  EXPECT_EQ(code_of(written), ErrorCode::deadline_exceeded);
  EXPECT_FALSE(page.has_value());
  EXPECT_FALSE(purged.has_value());
  EXPECT_LT(took, std::chrono::milliseconds(4 * 200 + 4 * 150));
  proxy_->resume();
  ASSERT_TRUE(eventually([&] { return health(*store_).ok; }));
  EXPECT_EQ(bytes(*store_, "warm"), "up");
  EXPECT_TRUE(apply(*store_, {put("k", "v", 10)}).has_value());
}

TEST_F(PostgresFaultTest, TheStoreClosesWhileTheServerStandsStill) {
  proxy_->pause();
  const MonotonicTime begin = MonotonicClock::now();
  store_.reset();
  EXPECT_LT(MonotonicClock::now() - begin, std::chrono::seconds(5));
}

TEST_F(PostgresFaultTest, AConnectionKilledByTheServerIsReplaced) {
  auto sql = schema_->session();
  for (std::uint64_t round = 1; round <= 5; ++round) {
    sql.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'armazem' "
        "AND usename = current_user");
    const auto result = apply(*store_, {put("k" + std::to_string(round), "v", 100 + round)});
    EXPECT_TRUE(result.has_value()) << result.error().message;
    EXPECT_EQ(bytes(*store_, "warm"), "up");
  }
}

TEST_F(PostgresFaultTest, WithTheFirstHostDeadTheSecondServes) {
  const auto hosts = "127.0.0.1:1," + proxy_->address();
  auto store = open(options_at(schema_->url_at(hosts) + "&sslmode=disable"));
  EXPECT_TRUE(apply(*store, {put("k", "v", 10)}).has_value());
  EXPECT_EQ(bytes(*store, "k"), "v");
}

TEST_F(PostgresTest, WithoutAServerCallsFailAtOnceAndThePasswordIsNotSaid) {
  const auto store = open(options_at(schema_->url_at("127.0.0.1:1")));
  ASSERT_TRUE(eventually([&] { return !health(*store).ok; }));
  const MonotonicTime begin = MonotonicClock::now();
  const auto written = apply(*store, {put("k", "v", 1)});
  const auto read = get(*store, "k");
  EXPECT_LT(MonotonicClock::now() - begin, std::chrono::seconds(2));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::unavailable);
  EXPECT_NE(written.error().message.find("127.0.0.1:1"), std::string::npos) << written.error().message;
  ASSERT_FALSE(read.has_value());
  for (const std::string& text : {written.error().message, read.error().message, health(*store).detail}) {
    EXPECT_EQ(text.find(schema_->password()), std::string::npos) << text;
  }
}

TEST_F(PostgresTest, AServerThatComesLaterMakesTheStoreReady) {
  std::string address;
  {
    WireProxy gone(schema_->server_address());
    address = gone.address();
    gone.pause();
    auto through = options_at(schema_->url_at(address) + "&sslmode=disable");
    through.connect_timeout = std::chrono::milliseconds(200);
    const auto store = open(through);
    ASSERT_TRUE(eventually([&] { return !health(*store).ok; }));
    gone.resume();
    EXPECT_TRUE(eventually([&] { return health(*store).ok; }));
    EXPECT_TRUE(apply(*store, {put("k", "v", 1)}).has_value());
  }
}

TEST_F(PostgresTest, AWrongPasswordIsSaidWithoutIt) {
  std::string url = schema_->url();
  const std::string wrong = "Wr0ng-Pa55word";
  url.replace(url.find(schema_->password()), schema_->password().size(), wrong);
  const auto store = open(options_at(url));
  ASSERT_TRUE(eventually([&] { return !health(*store).ok; }));
  const auto refused = apply(*store, {put("k", "v", 1)});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message.find(wrong), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("password authentication failed"), std::string::npos);
}

}  // namespace
}  // namespace armazem::test
