// Batches on a store, with and without a queue: results in their order, each for itself.
#include "http/batch_handlers.h"

#include <boost/json.hpp>

#include <algorithm>

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "http/request_fixture.h"
#include "runtime/thread_pool.h"
#include "support/mutations.h"
#include "support/run_task.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

// Confirms every message at once; nobody consumes them.
class FullQueue final : public QueuePublisher {
 public:
  [[nodiscard]] std::size_t partitions() const noexcept override { return 1; }
  Task<Result<void>> publish(std::size_t, std::span<const Mutation> mutations, Deadline) override {
    for (const Mutation& mutation : mutations) published.push_back(mutation.key.text());
    return Task<Result<void>>(Result<void>());
  }
  [[nodiscard]] QueueHealth health() const override { return {}; }

  std::vector<std::string> published;
};

class BatchTest : public RequestTest {
 protected:
  Response send(BatchHandlers& handlers, std::string_view operations, std::string_view fields = "") {
    Response response;
    const auto admitted = admit("POST", "/batch", "Content-Type: application/json\r\n" + std::string(fields));
    EXPECT_EQ(admitted->slug(), "admitted");
    admitted->request.body = "{\"operations\":[" + std::string(operations) + "]}";
    executor_.run(handlers.handle(admitted->request, response));
    return response;
  }
  json::array results(std::string_view operations, std::string_view fields = "") {
    const Response response = send(handlers_, operations, fields);
    EXPECT_EQ(response.status, 200);
    return json::parse(response.body).as_object().at("results").as_array();
  }
  static std::string statuses(const json::array& results) {
    std::string all;
    for (const json::value& result : results) all += std::to_string(result.at("status").as_int64()) + " ";
    return all;
  }
  static std::string slug_of(const json::value& result) { return std::string(result.at("problem").at("type").as_string()).substr(20); }
  std::string stored(const std::string& name) {
    const Key key = test::key(name);
    const auto record = memory_.get(key, test::soon()).take_ready().value();
    return record && !record->tombstone ? record->value.bytes : "(none)";
  }

  MemoryStore memory_{time_};
  FaultyStore store_{memory_};
  Applier applier_{store_, nullptr, time_};
  ThreadPool threads_{"batches", 1};
  Batcher batcher_{applier_, threads_, time_, {}};
  RandomOpIds ops_;
  Reader reader_{store_, nullptr, time_};
  Writer writer_{batcher_, nullptr, clock_, ops_, time_};
  BatchHandlers handlers_{reader_, writer_, clock_, {}};
  test::TestExecutor executor_;
};

TEST_F(BatchTest, NothingToDo) {
  const Response response = send(handlers_, "", "X-Request-Id: r1\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"results\":[]}\n");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header_of(response, "X-Request-Id"), "r1");
}

TEST_F(BatchTest, EachHasItsOwnResult) {
  const json::array all = results(R"({"op":"get","key":"a"},{"op":"put","key":"a","value":"x"},{"op":"put","key":"a","value":[1, 2]},
      {"op":"delete","key":"b"},{"op":"put","key":"c","value":1,"if_match":"*"},{"op":"get","key":"d"},
      {"op":"put","key":"e","value":1,"if_none_match":"*"},{"op":"delete","key":"e"})");
  EXPECT_EQ(statuses(all), "200 201 200 404 412 404 201 204 ");
  EXPECT_EQ(all[0].at("value"), json::parse("[1,2]")) << "reads come after the writes";
  EXPECT_EQ(all[0].at("version"), all[2].at("version"));
  EXPECT_EQ(all[0].at("content_type").as_string(), "application/json");
  EXPECT_LT(all[1].at("version").as_string(), all[2].at("version").as_string());
  EXPECT_EQ(all[1].at("key").as_string(), "a");
  EXPECT_EQ(slug_of(all[3]), "not-found");
  EXPECT_TRUE(all[3].as_object().contains("version"));
  EXPECT_EQ(slug_of(all[4]), "precondition-failed");
  EXPECT_TRUE(all[4].at("problem").at("current_etag").is_null());
  EXPECT_EQ(slug_of(all[5]), "not-found");
}

TEST_F(BatchTest, WritesOfOneKeyKeepTheirOrder) {
  std::string operations;
  for (int i = 0; i < 300; ++i) {
    operations += R"({"op":"put","key":"k)" + std::to_string(i % 3) + R"(","value":)" + std::to_string(i) + "},";
  }
  operations.pop_back();
  results(operations);
  EXPECT_EQ(stored("k0"), "297");
  EXPECT_EQ(stored("k1"), "298");
  EXPECT_EQ(stored("k2"), "299");
}

Task<void> run_handler(BatchHandlers& handlers, Request& request, Response& response) {
  (void)co_await handlers.handle(request, response);
}

// Writes of different keys are on their way together: while the store is busy with the first, all others gather.
TEST_F(BatchTest, WritesShareTransactions) {
  std::string operations;
  for (int i = 0; i < 1000; ++i) operations += R"({"op":"put","key":"k)" + std::to_string(i) + R"(","value":1},)";
  operations.pop_back();
  const auto admitted = admit("POST", "/batch", "Content-Type: application/json\r\n");
  admitted->request.body = "{\"operations\":[" + operations + "]}";
  Response response;
  store_.hold();
  TaskScope scope(executor_);
  scope.spawn(run_handler(handlers_, admitted->request, response));
  store_.release();
  executor_.run_until([&] { return scope.running() == 0; });
  const json::array all = json::parse(response.body).as_object().at("results").as_array();
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_TRUE(std::ranges::all_of(all, [](const json::value& one) { return one.at("status").as_int64() == 201; }));
  EXPECT_EQ(batcher_.figures().mutations, 1000U);
  EXPECT_LE(batcher_.figures().batches, 4U) << "what was there when the store was asked first, and batches of 512";
}

TEST_F(BatchTest, AfterAFailureTheKeysOthersAreNotTried) {
  store_.fail_next(1, {ErrorCode::unavailable, "away"});
  const json::array all = results(R"({"op":"put","key":"a","value":1},{"op":"put","key":"a","value":2})");
  EXPECT_EQ(statuses(all), "503 503 ");
  EXPECT_EQ(slug_of(all[0]), "store-unavailable");
  EXPECT_EQ(slug_of(all[1]), "overloaded");
  EXPECT_EQ(stored("a"), "(none)");
}

TEST_F(BatchTest, AMalformedBatchDoesNothing) {
  const Response response = send(handlers_, R"({"op":"put","key":"a","value":1},{"op":"put","key":"b"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
  EXPECT_NE(response.body.find("operations[1]"), response.body.npos);
  EXPECT_EQ(stored("a"), "(none)");
}

TEST_F(BatchTest, RepeatedWithTheSameIdempotencyKey) {
  const char* operations = R"({"op":"put","key":"a","value":1},{"op":"put","key":"a","value":1},{"op":"delete","key":"a"})";
  const json::array first = results(operations, "Idempotency-Key: i1\r\n");
  EXPECT_EQ(statuses(first), "201 200 204 ") << "the same write twice in one batch is two operations";
  EXPECT_EQ(results(operations, "Idempotency-Key: i1\r\n"), first);
  EXPECT_NE(results(operations, "Idempotency-Key: i2\r\n"), first);
}

std::string restore(std::string_view key, std::string_view value, const Version& version) {
  return R"({"op":"restore","key":")" + std::string(key) + R"(","value":")" + std::string(value) + R"(","version":")" + version.text() + "\"}";
}

TEST_F(BatchTest, RestoresKeepTheirVersion) {
  const Version old = Version::make(Tick::from_ms(time_.wall_ms() - 1'000'000'000), OpId(7));
  const json::array all = results(restore("a", "x", old) + R"(,{"op":"get","key":"a"})");
  EXPECT_EQ(statuses(all), "201 200 ");
  EXPECT_EQ(all[0].at("version").as_string(), old.text());
  EXPECT_EQ(all[0].at("outcome").as_string(), "restored");
  EXPECT_EQ(all[1].at("version").as_string(), old.text());
  EXPECT_EQ(results(restore("a", "x", old)), json::array({all[0]})) << "again it is the same";
}

TEST_F(BatchTest, ARestoreDoesNotReplaceWhatIsNewer) {
  const json::array put = results(R"({"op":"put","key":"a","value":"new"})");
  const Version older = Version::make(Tick::from_ms(time_.wall_ms() - 10), OpId(7));
  const json::array all = results(restore("a", "old", older));
  EXPECT_EQ(statuses(all), "200 ");
  EXPECT_EQ(all[0].at("outcome").as_string(), "superseded");
  EXPECT_EQ(all[0].at("version"), put[0].at("version"));
  EXPECT_EQ(stored("a"), "new");
}

TEST_F(BatchTest, VersionsFromTheFutureAreRefused) {
  const Version ahead = Version::make(Tick::from_ms(time_.wall_ms() + 1'000), OpId(7));
  const json::array all = results(restore("a", "x", ahead) + R"(,{"op":"put","key":"b","value":1},{"op":"put","key":"c","value":1,"if_match":")" +
                                  ahead.text() + "\"}");
  EXPECT_EQ(statuses(all), "400 201 400 ");
  EXPECT_EQ(slug_of(all[0]), "version-too-far-ahead");
  EXPECT_EQ(slug_of(all[2]), "version-too-far-ahead");
  EXPECT_EQ(stored("a"), "(none)");
}

TEST_F(BatchTest, LargeAnswersEnd) {
  const std::string large(1'000'000, 'x');
  for (int i = 0; i < 40; ++i) {
    std::vector<Mutation> batch = {test::put("k" + std::to_string(i), large, 1)};
    ASSERT_TRUE(executor_.run(memory_.apply(std::move(batch), {}, test::soon())).has_value());
  }
  std::string operations;
  for (int i = 0; i < 40; ++i) operations += R"({"op":"get","key":"k)" + std::to_string(i) + "\"},";
  operations.pop_back();
  const json::array all = results(operations);
  EXPECT_EQ(all[0].at("status").as_int64(), 200);
  EXPECT_EQ(all[31].at("status").as_int64(), 200) << "two groups of sixteen";
  EXPECT_EQ(all[32].at("status").as_int64(), 413);
  EXPECT_EQ(slug_of(all[39]), "batch-too-large");
}

// With a queue ----------------------------------------------------------------------------------------------------------

class QueuedBatchTest : public BatchTest {
 protected:
  FullQueue queue_;
  Enqueuer enqueuer_{queue_, threads_, time_};
  Writer queued_writer_{batcher_, &enqueuer_, clock_, ops_, time_};
  BatchHandlers queued_{reader_, queued_writer_, clock_, {}};
};

TEST_F(QueuedBatchTest, RespondAsyncIsAcceptedOneByOne) {
  const Response response = send(queued_, R"({"op":"put","key":"a b","value":1},{"op":"put","key":"a b","value":2},{"op":"delete","key":"c"},
      {"op":"put","key":"d","value":1,"if_none_match":"*"})", "Prefer: respond-async\r\n");
  const json::array all = json::parse(response.body).as_object().at("results").as_array();
  EXPECT_EQ(statuses(all), "202 202 202 400 ");
  EXPECT_EQ(all[0].at("operation").as_string(), "/operations/" + std::string(all[0].at("version").as_string()) + "?key=a%20b");
  EXPECT_EQ(slug_of(all[3]), "respond-async-conditional");
  EXPECT_EQ(queue_.published.size(), 3U);
}

}  // namespace
}  // namespace armazem::http
