// GET /operations/{version}?key=: each state in its words.
#include "http/operation_handlers.h"

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "http/request_fixture.h"
#include "support/mutations.h"
#include "support/run_task.h"

namespace armazem::http {
namespace {

using test::put;
using test::remove;
using test::version;

class OperationHandlersTest : public RequestTest {
 protected:
  OperationHandlersTest() { time_.set_wall_ms(test::epoch_ms + 1'000); }

  void given(std::vector<Mutation> mutations) {
    ASSERT_TRUE(memory_.apply(std::move(mutations), {}, test::soon()).take_ready().has_value());
  }
  Response ask(const Version& operation, std::string_view encoded_key = "k") {
    Response response;
    const auto admitted = admit("GET", "/operations/" + operation.text() + "?key=" + std::string(encoded_key));
    EXPECT_EQ(admitted->slug(), "admitted");
    test::run_task(handlers_.handle(admitted->request, response));
    return response;
  }
  static std::string body(const Version& operation, std::string_view rest, std::string_view key = "k") {
    return "{\"operation\":\"" + operation.text() + "\",\"key\":\"" + std::string(key) + "\"," + std::string(rest) + "}\n";
  }

  MemoryStore memory_{time_};
  FaultyStore store_{memory_};
  Operations operations_{store_, time_};
  OperationHandlers handlers_{operations_, std::chrono::seconds(10)};
};

TEST_F(OperationHandlersTest, EffectsOfWhatWasApplied) {
  given({put("k", "1", 1), put("k", "2", 2), remove("k", 3), remove("k", 4)});
  const std::array<std::string_view, 4> effects{"created", "replaced", "deleted", "nothing-to-delete"};
  for (std::uint64_t i = 0; i < effects.size(); ++i) {
    const Version operation = version(i + 1, i + 1);
    const Response response = ask(operation);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header_of(response, "Cache-Control"), "no-store");
    EXPECT_EQ(header_of(response, "Retry-After"), "(none)");
    EXPECT_EQ(response.body, body(operation, "\"status\":\"applied\",\"version\":\"" + operation.text() + "\",\"effect\":\"" +
                                                 std::string(effects[i]) + "\""));
  }
}

// The op id names the write; the time in front of it may be an older stamp of the same one.
TEST_F(OperationHandlersTest, AWriteThatWasStampedAgainShowsItsLastStamp) {
  given({put("k", "1", 9, 5)});
  const Version first_stamp = version(2, 5);
  EXPECT_EQ(ask(first_stamp).body,
            body(first_stamp, "\"status\":\"applied\",\"version\":\"" + version(9, 5).text() + "\",\"effect\":\"created\""));
}

TEST_F(OperationHandlersTest, WhatWasNotApplied) {
  given({put("k", "1", 5)});
  EXPECT_EQ(ask(version(4, 4)).body, body(version(4, 4), "\"status\":\"superseded\""));
  const Response pending = ask(version(6, 6));
  EXPECT_EQ(pending.body, body(version(6, 6), "\"status\":\"pending\""));
  EXPECT_EQ(header_of(pending, "Retry-After"), "1");
  EXPECT_EQ(ask(version(6, 6), "nobody").body, body(version(6, 6), "\"status\":\"pending\"", "nobody"));
  time_.set_wall_ms(test::epoch_ms + 3'600'000);
  EXPECT_EQ(ask(version(6, 6)).body, body(version(6, 6), "\"status\":\"unknown\""));
}

TEST_F(OperationHandlersTest, TheKeyComesBackAsJson) {
  given({put("a/\"b\" é&", "1", 1)});
  EXPECT_NE(ask(version(1, 1), "a/%22b%22%20%C3%A9%26").body.find(R"("key":"a/\"b\" é&","status":"applied")"), std::string::npos);
}

TEST_F(OperationHandlersTest, ErrorsOfTheStoreAreProblems) {
  store_.fail_next(1, Error{ErrorCode::unavailable, "away"});
  const Response response = ask(version(1, 1));
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("problem:store-unavailable\""), response.body.npos) << response.body;
}

}  // namespace
}  // namespace armazem::http
