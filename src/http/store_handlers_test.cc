// Writes with a queue in front of the store: what is answered when nobody has decided them yet, or nobody knows.
#include "http/store_handlers.h"

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "http/request_fixture.h"
#include "runtime/thread_pool.h"
#include "support/run_task.h"

namespace armazem::http {
namespace {

// A queue that takes messages as it is told to, and whose workers never reply.
class SilentQueue final : public QueuePublisher {
 public:
  [[nodiscard]] std::size_t partitions() const noexcept override { return 1; }
  Task<Result<void>> publish(std::size_t, std::span<const Mutation>, Deadline) override {
    if (error) return Task<Result<void>>(fail(*error, "the queue"));
    return Task<Result<void>>(Result<void>());
  }
  [[nodiscard]] QueueHealth health() const override { return {}; }

  std::optional<ErrorCode> error;
};

class QueuedWritesTest : public RequestTest {
 protected:
  Response send(std::string_view method, std::string_view target, std::string_view fields = "", std::string body = "x") {
    Response response;
    const auto admitted = admit(method, target, fields);
    EXPECT_EQ(admitted->slug(), "admitted");
    admitted->request.body = std::move(body);
    executor_.run(handlers_.write(admitted->request, response));
    return response;
  }
  static std::string type_of(const Response& response) {
    constexpr std::string_view before = "urn:armazem:problem:";
    const auto at = response.body.find(before);
    if (at == response.body.npos) return "(none)";
    return response.body.substr(at + before.size(), response.body.find('"', at) - at - before.size());
  }

  MemoryStore memory_{time_};
  FaultyStore store_{memory_};
  Applier applier_{store_, nullptr, time_};
  ThreadPool threads_{"queue", 1};
  Batcher batcher_{applier_, threads_, time_, {}};
  SilentQueue queue_;
  Enqueuer enqueuer_{queue_, threads_, time_};
  RandomOpIds ops_;
  Reader reader_{store_, nullptr, time_};
  Writer writer_{batcher_, &enqueuer_, clock_, ops_, time_};
  StoreHandlers handlers_{reader_, writer_, {}};
  test::TestExecutor executor_;
};

TEST_F(QueuedWritesTest, AcceptedWithALocation) {
  const Response response = send("PUT", "/store/a%2Fb%20%26%3F%C3%A9", "Prefer: respond-async\r\nX-Request-Id: r1\r\n");
  EXPECT_EQ(response.status, 202);
  const std::string version = header_of(response, "Armazem-Version");
  EXPECT_TRUE(Version::parse(version).has_value()) << version;
  EXPECT_EQ(header_of(response, "Location"), "/operations/" + version + "?key=a/b%20%26%3F%C3%A9");
  EXPECT_EQ(response.body, "{\"key\":\"a/b &?é\",\"version\":\"" + version + "\",\"status\":\"pending\"}\n");
  EXPECT_EQ(header_of(response, "ETag"), "(none)");
  EXPECT_EQ(header_of(response, "X-Request-Id"), "r1");
}

TEST_F(QueuedWritesTest, AcceptedInEveryForm) {
  EXPECT_EQ(send("DELETE", "/store/k", "Prefer: respond-async\r\n").status, 202);
  EXPECT_EQ(send("PUT", "/store", "Content-Type: application/json\r\nPrefer: wait=0\r\n", R"({"key":"k","value":1})").status, 202);
}

// The location must lead to the operation: what the server writes, its own router understands.
TEST_F(QueuedWritesTest, TheLocationIsUnderstood) {
  const Response response = send("PUT", "/store/%26%3D%2B%23%25/..//", "Prefer: respond-async\r\n");
  const auto admitted = admit("GET", header_of(response, "Location"));
  EXPECT_EQ(admitted->slug(), "admitted");
  EXPECT_EQ(admitted->request.key->text(), "&=+#%/..//");
  EXPECT_EQ(admitted->request.operation.text(), header_of(response, "Armazem-Version"));
}

TEST_F(QueuedWritesTest, AConditionalWriteIsDecidedAtOnce) {
  EXPECT_EQ(send("PUT", "/store/k", "If-None-Match: *\r\n").status, 201);
  EXPECT_EQ(send("PUT", "/store/k", "If-None-Match: *\r\nPrefer: wait=0\r\n").status, 412);
}

TEST_F(QueuedWritesTest, AQueueThatTakesNothingIsPassedBy) {
  queue_.error = ErrorCode::unavailable;
  EXPECT_EQ(send("PUT", "/store/k", "Prefer: respond-async\r\n").status, 201);
  EXPECT_EQ(send("PUT", "/store/k").status, 200);
}

TEST_F(QueuedWritesTest, WithoutQueueAndStoreNothingHasHappened) {
  queue_.error = ErrorCode::unavailable;
  store_.fail_next(100, Error{ErrorCode::unavailable, "away"});
  const Response response = send("PUT", "/store/k");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(type_of(response), "store-unavailable");
  EXPECT_EQ(header_of(response, "Retry-After"), "1");
}

TEST_F(QueuedWritesTest, AnUnknownOutcomeNamesItsOperation) {
  queue_.error = ErrorCode::outcome_unknown;
  store_.fail_next(100, Error{ErrorCode::unavailable, "away"});
  const Response response = send("PUT", "/store/a%20b");
  EXPECT_EQ(response.status, 504);
  EXPECT_EQ(type_of(response), "outcome-unknown");
  EXPECT_EQ(header_of(response, "Retry-After"), "(none)");
  const auto at = response.body.find("\"operation\":\"/operations/");
  ASSERT_NE(at, response.body.npos) << response.body;
  const auto begin = at + std::string_view("\"operation\":\"").size();
  const auto admitted = admit("GET", response.body.substr(begin, response.body.find('"', begin) - begin));
  EXPECT_EQ(admitted->slug(), "admitted");
  EXPECT_EQ(admitted->request.key->text(), "a b");
}

}  // namespace
}  // namespace armazem::http
