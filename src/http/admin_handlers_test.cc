// Readiness: which parts a server needs, which it can do without, and what it says of each.
#include "http/admin_handlers.h"

#include "core/task_scope.h"
#include "http/byte_budget.h"
#include "http/request_fixture.h"
#include "http/server.h"
#include "support/run_task.h"

namespace armazem::http {
namespace {

using Need = HealthCheck::Need;
using State = HealthCheck::State;

HealthCheck check(std::string name, Need need, bool ok) {
  return {std::move(name), need, [ok](Deadline) { return Task<State>(State{ok, ok ? "fine" : "\"gone\""}); }};
}

class ReadinessTest : public RequestTest {
 protected:
  Response ask(AdminHandlers& handlers, std::string_view target = "/health/ready") {
    Response response;
    const auto admitted = admit("GET", target);
    executor_.run(handlers.handle(admitted->request, response));
    return response;
  }
  AdminHandlers handlers(std::vector<HealthCheck> checks) { return {std::move(checks), metrics_, budget_, {}}; }
  int status(std::vector<HealthCheck> checks) {
    AdminHandlers made(std::move(checks), metrics_, budget_, {});
    return ask(made).status;
  }

  test::TestExecutor executor_;
  ServerMetrics metrics_{1};
  ByteBudget budget_{1};
};

TEST_F(ReadinessTest, ARequiredPartIsNeeded) {
  EXPECT_EQ(status({check("store", Need::required, true)}), 200);
  EXPECT_EQ(status({check("store", Need::required, false)}), 503);
  EXPECT_EQ(status({check("a", Need::required, true), check("b", Need::required, false)}), 503);
}

TEST_F(ReadinessTest, OneOfTheAlternativesIsEnough) {
  const auto both = [&](bool store, bool queue) {
    return status({check("store", Need::alternative, store), check("queue", Need::alternative, queue)});
  };
  EXPECT_EQ(both(true, true), 200);
  EXPECT_EQ(both(true, false), 200);
  EXPECT_EQ(both(false, true), 200);
  EXPECT_EQ(both(false, false), 503);
}

TEST_F(ReadinessTest, AnAlternativeDoesNotReplaceARequiredPart) {
  EXPECT_EQ(status({check("a", Need::alternative, true), check("b", Need::required, false)}), 503);
  EXPECT_EQ(status({check("a", Need::alternative, false), check("b", Need::required, true)}), 503);
}

TEST_F(ReadinessTest, AWantedPartIsOnlyShown) {
  EXPECT_EQ(status({check("store", Need::required, true), check("cache", Need::wanted, false)}), 200);
  EXPECT_EQ(status({check("store", Need::required, false), check("cache", Need::wanted, true)}), 503);
  EXPECT_EQ(status({check("cache", Need::wanted, false)}), 200);
  EXPECT_EQ(status({}), 200);
}

TEST_F(ReadinessTest, VerboseShowsEachInOrderAndTheServerLast) {
  AdminHandlers made = handlers({check("store", Need::alternative, true), check("cache", Need::wanted, false)});
  const Response response = ask(made, "/health/ready?verbose");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.starts_with(
      "{\"status\":\"ready\",\"checks\":[{\"name\":\"store\",\"status\":\"ok\",\"detail\":\"fine\"},"
      "{\"name\":\"cache\",\"status\":\"failed\",\"detail\":\"\\\"gone\\\"\"},"
      "{\"name\":\"server\",\"status\":\"ok\",\"detail\":\"serving\"}],\"version\":\""))
      << response.body;
  EXPECT_EQ(ask(made).body, "{\"status\":\"ready\"}\n");
}

TEST_F(ReadinessTest, AStoppingServerIsNotReadyWhateverItsParts) {
  AdminHandlers made = handlers({check("store", Need::required, true)});
  made.set_stopping();
  const Response response = ask(made, "/health/ready?verbose");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header_of(response, "Retry-After"), "1");
  EXPECT_NE(response.body.find("\"status\":\"not-ready\""), response.body.npos);
  EXPECT_NE(response.body.find("{\"name\":\"server\",\"status\":\"failed\",\"detail\":\"shutting down\"}"), response.body.npos);
}

// All are asked at the same moment, so that one that hangs does not use up the time of the others. This one hangs until
// another is asked, at the longest until the deadline.
TEST_F(ReadinessTest, APartThatHangsDoesNotMakeTheOthersLookBad) {
  bool asked = false;
  const HealthCheck hangs{"store", Need::alternative, [&](Deadline deadline) -> Task<State> {
                            while (!asked && !deadline.expired(MonotonicClock::now())) {
                              co_await sleep_until(MonotonicClock::now() + std::chrono::milliseconds(1));
                            }
                            co_return State{false, "no answer"};
                          }};
  const HealthCheck works{"queue", Need::alternative, [&](Deadline deadline) -> Task<State> {
                            asked = true;
                            const bool late = deadline.expired(MonotonicClock::now());
                            co_return State{!late, late ? "asked too late" : "fine"};
                          }};
  AdminHandlers made = handlers({hangs, works});
  EXPECT_EQ(ask(made).status, 200);
}

}  // namespace
}  // namespace armazem::http
