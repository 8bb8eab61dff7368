// Servers whose clocks disagree, a queue that loses what it may lose, and a worker: sequential writes are never lost and
// never reordered.
#include <map>
#include <random>

#include "service/cluster_fixture.h"
#include "worker/worker.h"

namespace armazem::test {
namespace {

using Kind = WriteAnswer::Kind;

class ClusterWritesTest : public ClusterTest {
 protected:
  ClusterWritesTest() {
    scope_.spawn(worker_.run());
    ticks_.spawn(tick());
  }
  ~ClusterWritesTest() override {
    worker_.stop();
    EXPECT_TRUE(executor_.run_until([this] { return scope_.running() == 0; }));
    servers_.clear();
    ticking_ = false;
    EXPECT_TRUE(executor_.run_until([this] { return ticks_.running() == 0; }));
  }
  TestServer& add_server(std::int64_t clock_ahead_ms) {
    const std::uint64_t first_op = 1'000'000 * (servers_.size() + 1);
    return *servers_.emplace_back(
        std::make_unique<TestServer>(store_, &cache_, broker_, executor_, time_, clock_ahead_ms, first_op));
  }
  WriteResult write(TestServer& server, WriteRequest request) {
    return executor_.run(server.writer.write(std::move(request)));
  }
  Task<void> tick() {
    while (ticking_) {
      co_await sleep_until(time_.now() + milliseconds(50));
      broker_.expire(time_.now());
      for (const auto& server : servers_) server->expire(time_.now());
    }
  }

  MemoryQueue broker_{{.partitions = 2}, time_};
  std::vector<std::unique_ptr<TestServer>> servers_;
  std::unique_ptr<QueueConsumer> consumer_ = broker_.connect_consumer();
  Applier applier_{store_, &cache_, time_};
  Worker worker_{*consumer_, applier_, store_, time_, {}};
  TaskScope scope_{executor_};
  TaskScope ticks_{executor_};
  bool ticking_ = true;
};

TEST_F(ClusterWritesTest, AQueuedCopyThatArrivesAfterTheDirectApplyIsAlreadyApplied) {
  TestServer& server = add_server(0);
  broker_.hold_deliveries();
  broker_.lose_confirms(1);
  const WriteResult written = write(server, put_request("k", "v"));
  ASSERT_TRUE(written.answer.has_value());
  EXPECT_EQ(written.answer->kind, Kind::created);
  const auto before = stored("k");
  ASSERT_EQ(broker_.depth(), 1U);
  broker_.release_deliveries();
  ASSERT_TRUE(executor_.run_until([this] { return worker_.figures().replayed == 1; }));
  EXPECT_EQ(worker_.figures().applied, 0U);
  EXPECT_EQ(*stored("k"), *before) << "record and history";
  EXPECT_EQ(stored("k")->history.entries().size(), 1U);
}

TEST_F(ClusterWritesTest, TheCopyOfAnOlderWriteDoesNotComeBackOverANewerOne) {
  TestServer& server = add_server(0);
  broker_.hold_deliveries();
  broker_.lose_confirms(1);
  ASSERT_TRUE(write(server, put_request("k", "old")).answer.has_value());
  WriteRequest remove{Mutation::Kind::remove, key("k")};
  remove.condition = {Condition::Kind::if_present, {}};  // by the direct road
  ASSERT_EQ(write(server, std::move(remove)).answer.value().kind, Kind::deleted);
  broker_.release_deliveries();
  ASSERT_TRUE(executor_.run_until([this] { return worker_.figures().replayed == 1; }));
  EXPECT_EQ(stored_bytes("k"), "(none)");
  EXPECT_TRUE(cached("k")->tombstone);
}

TEST_F(ClusterWritesTest, ServersFiveSecondsApartTakeTurns) {
  TestServer& ahead = add_server(5'000);
  TestServer& behind = add_server(0);
  for (int i = 0; i < 20; ++i) {
    TestServer& server = i % 2 == 0 ? ahead : behind;
    const WriteResult written = write(server, put_request("k", std::to_string(i)));
    ASSERT_TRUE(written.answer.has_value()) << i;
    EXPECT_EQ(written.answer->kind, i == 0 ? Kind::created : Kind::replaced);
    EXPECT_EQ(stored_bytes("k"), std::to_string(i));
    EXPECT_EQ(stored("k")->version, written.operation);
    EXPECT_EQ(cached("k")->value.bytes, std::to_string(i));
  }
}

// One client after the other, any server, any fault that leaves a definite answer: the store always holds the last write.
TEST_F(ClusterWritesTest, SequentialWritesAreNeverLostNorReordered) {
  int unknown = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto draw = [&](int below) { return static_cast<int>(random() % static_cast<std::uint32_t>(below)); };
    const std::size_t first = servers_.size();
    add_server(draw(20'001) - 10'000);
    add_server(draw(20'001) - 10'000);
    std::map<std::string, std::string> model;
    const std::string prefix = "seed" + std::to_string(seed) + "-";
    for (int step = 0; step < 40; ++step) {
      TestServer& server = *servers_[first + static_cast<std::size_t>(draw(2))];
      if (draw(8) == 0) server.wall.ahead_ms = draw(20'001) - 10'000;  // the clock steps
      switch (draw(8)) {
        case 0: broker_.lose_confirms(1); break;
        case 1: broker_.refuse_publishes(1, {ErrorCode::unavailable, "away"}); break;
        case 2: executor_.pass(milliseconds(draw(700))); break;
        default: break;
      }
      const std::string name = prefix + std::to_string(draw(3));
      WriteRequest request = put_request(name, std::to_string(step));
      const bool removes = draw(4) == 0;
      if (removes) request = {Mutation::Kind::remove, key(name)};
      const WriteResult written = write(server, std::move(request));
      const bool was_there = model.contains(name);
      if (!written.answer) {  // a key that this clock has never met, and that is far ahead of it
        EXPECT_EQ(written.answer.error().code, ErrorCode::outcome_unknown);
        ++unknown;
      } else if (removes) {
        EXPECT_EQ(written.answer->kind, was_there ? Kind::deleted : Kind::nothing_to_delete);
        model.erase(name);
      } else {
        EXPECT_EQ(written.answer->kind, was_there ? Kind::replaced : Kind::created);
        model[name] = std::to_string(step);
      }
      ASSERT_EQ(stored_bytes(name), model.contains(name) ? model[name] : "(none)") << "step " << step;
    }
    broker_.lose_confirms(0);
    broker_.refuse_publishes(0, {});
    executor_.pass(milliseconds(3'000));  // late copies arrive
    for (int i = 0; i < 3; ++i) {
      const std::string name = prefix + std::to_string(i);
      EXPECT_EQ(stored_bytes(name), model.contains(name) ? model[name] : "(none)");
      if (const auto entry = cached(name)) {
        EXPECT_EQ(entry->version, stored(name)->version) << "nothing older in the cache";
      }
    }
  }
  EXPECT_LT(unknown, 24) << "one write in a hundred";
}

}  // namespace
}  // namespace armazem::test
