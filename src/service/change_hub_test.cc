// What watchers are told: every change that matches, once, in order, however they fall behind and come back.
#include "service/change_hub.h"

#include <gmock/gmock.h>

#include <optional>

#include "support/mutations.h"
#include "support/stepped_executor.h"

namespace armazem::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Watch::News::Kind;

// A log that is written by the test.
class ScriptedLog final : public ChangeLog {
 public:
  void add(const std::string& name) {
    Change change{++newest, key(name), version(newest, 1), std::nullopt};
    changes.push_back(std::move(change));
  }
  void drop_up_to(std::uint64_t position) {
    oldest = position;
    std::erase_if(changes, [&](const Change& change) { return change.position <= position; });
  }

  Task<Result<ChangePage>> read_changes(ChangesRequest request, Deadline) override {
    ++reads;
    if (failing) return Task<Result<ChangePage>>(fail(ErrorCode::unavailable, "the log is away"));
    ChangePage page;
    page.next = request.after;
    page.lost = request.after < oldest || request.after > newest;
    if (page.lost) page.next = oldest;
    for (const Change& change : changes) {
      if (page.lost || change.position > settled || change.position <= request.after || page.changes.size() >= std::min(request.limit, page_max)) continue;
      page.changes.push_back(change);
      page.next = change.position;
    }
    return Task<Result<ChangePage>>(Result<ChangePage>(std::move(page)));
  }
  Task<Result<ChangeLogState>> change_log_state(Deadline) override {
    if (failing) return Task<Result<ChangeLogState>>(fail(ErrorCode::unavailable, "the log is away"));
    return Task<Result<ChangeLogState>>(Result<ChangeLogState>(ChangeLogState{"log", oldest, newest}));
  }

  std::vector<Change> changes;
  std::uint64_t oldest = 0;
  std::uint64_t newest = 0;
  std::size_t page_max = 1000;
  std::size_t reads = 0;
  bool failing = false;
  std::uint64_t settled = std::uint64_t{1} << 40;  // what lies behind may not be told yet
};

// Collects what a watch is told, until it is stopped.
class Listener {
 public:
  Listener(ChangeHub& hub, SteppedExecutor& executor, ChangeFilter filter, std::uint64_t after)
      : executor_(executor), watch(hub, std::move(filter), after), scope_(executor) {
    scope_.spawn(listen());
  }
  ~Listener() {
    watch.stop();
    EXPECT_TRUE(executor_.run_until([&] { return scope_.running() == 0; }));
  }
  std::string told;
  int heartbeats = 0;
  int losses = 0;

 private:
  Task<void> listen() {
    while (true) {
      Watch::News news = co_await watch.next();
      if (news.kind == Kind::stopped) break;
      EXPECT_EQ(news.kind == Kind::changes, !news.text.empty());
      told += news.text;
      heartbeats += news.kind == Kind::heartbeat ? 1 : 0;
      losses += news.kind == Kind::lost ? 1 : 0;
    }
  }
  SteppedExecutor& executor_;

 public:
  Watch watch;

 private:
  TaskScope scope_;
};

class ChangeHubTest : public testing::Test {
 protected:
  ChangeHubTest() { options_.heartbeat = milliseconds(10'000); }
  ~ChangeHubTest() override {
    listeners_.clear();
    pass(1'000);  // the loop ends its pause and goes idle
    if (hub_) executor_.run_beside([&] { hub_->close(); });
  }
  ChangeHub& hub() {
    if (!hub_) hub_.emplace(log_, executor_, time_, render, options_);
    return *hub_;
  }
  Listener& listen(const std::string& prefix = "", std::uint64_t after = 0) {
    listeners_.push_back(std::make_unique<Listener>(hub(), executor_, ChangeFilter{ChangeFilter::By::prefix, prefix}, after));
    executor_.run_ready();
    return *listeners_.back();
  }
  void pass(int ms) {
    executor_.pass(milliseconds(ms));
    if (hub_) hub_->expire(time_.now());
    executor_.run_ready();
  }
  static std::string render(std::string_view, const Change& change) { return change.key.text() + " "; }

  TestTime time_;
  SteppedExecutor executor_{time_};
  ScriptedLog log_;
  ChangeHubOptions options_;
  std::optional<ChangeHub> hub_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

TEST_F(ChangeHubTest, TellsWhatMatchesAndNothingElse) {
  Listener& all = listen();
  Listener& some = listen("a/");
  listeners_.push_back(std::make_unique<Listener>(hub(), executor_, ChangeFilter{ChangeFilter::By::key, "a/"}, 0));
  pass(30);
  for (const char* name : {"a/1", "b", "a/2", "a", "a/"}) log_.add(name);
  pass(30);
  EXPECT_EQ(all.told, "a/1 b a/2 a a/ ");
  EXPECT_EQ(some.told, "a/1 a/2 a/ ");
  EXPECT_EQ(listeners_.back()->told, "a/ ");
  EXPECT_EQ(hub().figures().changes, 5U) << "the log is read once for all";
  EXPECT_EQ(hub().figures().told, 9U);
}

TEST_F(ChangeHubTest, BeginsBehindTheGivenPosition) {
  for (const char* name : {"a", "b", "c"}) log_.add(name);
  Listener& listener = listen("", 2);
  pass(30);
  log_.add("d");
  pass(30);
  EXPECT_EQ(listener.told, "c d ");
  EXPECT_EQ(listener.watch.position(), 4U);
}

TEST_F(ChangeHubTest, GoesOnFromMemoryAndFromTheLogAlike) {
  options_.kept_bytes_max = 500;
  log_.page_max = 1;
  Listener& first = listen();
  pass(30);
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    log_.add("k" + std::to_string(i));
    expected += "k" + std::to_string(i) + " ";
    pass(30);
  }
  EXPECT_EQ(first.told, expected);
  EXPECT_EQ(hub().figures().behind, 0U);
  // One comes back from long ago, one from a moment ago.
  EXPECT_EQ(listen("", 48).told, "k48 k49 ");
  EXPECT_EQ(hub().figures().behind, 0U);
  EXPECT_EQ(listen("", 0).told, expected);
  EXPECT_GT(hub().figures().behind, 0U);
}

TEST_F(ChangeHubTest, AWatcherOfQuietKeysStaysUpToDate) {
  options_.kept_bytes_max = 500;
  Listener& quiet = listen("quiet");
  pass(30);
  for (int i = 0; i < 50; ++i) {
    log_.add("loud");
    pass(30);
  }
  log_.add("quiet");
  pass(30);
  EXPECT_EQ(quiet.told, "quiet ");
  EXPECT_EQ(hub().figures().behind, 0U) << "it never had to read the log by itself";
  EXPECT_EQ(quiet.watch.position(), 51U);
}

TEST_F(ChangeHubTest, SaysThatChangesAreLostAndGoesOnFromTheNewest) {
  for (const char* name : {"a", "b", "c"}) log_.add(name);
  log_.drop_up_to(2);
  Listener& late = listen("", 1);
  pass(30);
  EXPECT_EQ(late.losses, 1);
  EXPECT_EQ(late.told, "");
  log_.add("d");
  pass(30);
  EXPECT_EQ(late.told, "d ");
  EXPECT_EQ(late.losses, 1);
}

TEST_F(ChangeHubTest, APositionThatTheLogNeverHadIsALoss) {
  log_.add("a");
  Listener& listener = listen("", 100);
  pass(100);
  EXPECT_EQ(listener.losses, 1);
  log_.add("b");
  pass(100);
  EXPECT_EQ(listener.told, "b ");
}

TEST_F(ChangeHubTest, TheHubItselfMayFallBehindTheLog) {
  Listener& listener = listen();
  pass(30);
  for (const char* name : {"a", "b", "c"}) log_.add(name);
  log_.drop_up_to(2);
  pass(100);
  EXPECT_EQ(listener.losses, 1);
  log_.add("d");
  pass(100);
  EXPECT_EQ(listener.told, "d ");
}

TEST_F(ChangeHubTest, ALogThatIsAwayDelaysAndLosesNothing) {
  Listener& listener = listen();
  pass(30);
  log_.failing = true;
  log_.add("a");
  pass(2'000);
  EXPECT_EQ(listener.told, "");
  Listener& came_meanwhile = listen("", 0);
  pass(2'000);
  log_.failing = false;
  log_.add("b");
  pass(2'000);
  EXPECT_EQ(listener.told, "a b ");
  EXPECT_EQ(came_meanwhile.told, "a b ");
  EXPECT_EQ(listener.losses + came_meanwhile.losses, 0);
}

TEST_F(ChangeHubTest, HeartbeatsWhenNothingHappens) {
  Listener& listener = listen("a");
  pass(9'900);
  EXPECT_EQ(listener.heartbeats, 0);
  pass(200);
  EXPECT_EQ(listener.heartbeats, 1);
  pass(9'000);
  log_.add("a");
  pass(30);
  pass(9'000);
  EXPECT_EQ(listener.heartbeats, 1) << "an event is as good";
  pass(1'100);
  EXPECT_EQ(listener.heartbeats, 2);
}

TEST_F(ChangeHubTest, NobodyWatchesNobodyReads) {
  hub();
  log_.add("a");
  pass(1'000);
  EXPECT_EQ(log_.reads, 0U);
  listen();
  pass(1'000);
  EXPECT_GT(log_.reads, 0U);
  listeners_.clear();
  pass(100);
  const std::size_t reads = log_.reads;
  pass(1'000);
  EXPECT_EQ(log_.reads, reads);
  EXPECT_EQ(hub().figures().watchers, 0U);
  // And begins anew, where the watcher wants it.
  EXPECT_EQ(listen("", 0).told, "a ");
}

TEST_F(ChangeHubTest, AMissingPositionIsWaitedForWithoutHaste) {
  for (const char* name : {"a", "b", "c"}) log_.add(name);
  log_.settled = 1;
  Listener& late = listen("", 0);
  for (int i = 0; i < 10; ++i) pass(100);
  EXPECT_EQ(late.told, "a ");
  EXPECT_LT(log_.reads, 100U) << "asked again and again";
  log_.settled = 3;
  pass(100);
  pass(100);
  EXPECT_EQ(late.told, "a b c ");
}

TEST_F(ChangeHubTest, APieceIsBounded) {
  options_.piece_bytes = 10;
  for (int i = 0; i < 20; ++i) log_.add("1234");
  Watch watch(hub(), {}, 0);
  std::size_t pieces = 0;
  std::string all;
  log_.page_max = 2;
  while (all.size() < 100) {
    const Watch::News news = executor_.run(watch.next());
    ASSERT_EQ(news.kind, Kind::changes);
    EXPECT_LE(news.text.size(), 10U);
    all += news.text;
    ++pieces;
  }
  EXPECT_EQ(pieces, 10U);
}

}  // namespace
}  // namespace armazem::test
