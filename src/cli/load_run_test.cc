// Whole runs against a server that behaves as a test wants: what is sent, what is measured, and how a run ends.
#include "cli/load_run.h"

#include <gtest/gtest.h>

#include "cli/stub_server.h"
#include "support/eventually.h"

namespace armazem::cli {
namespace {

using namespace std::chrono_literals;
using Behaviour = StubServer::Behaviour;

class SteadyTime final : public TimeSource {
 public:
  [[nodiscard]] std::uint64_t wall_ms() const noexcept override { return 0; }
  [[nodiscard]] MonotonicTime now() const noexcept override { return MonotonicClock::now(); }
};

Endpoint endpoint_of(std::uint16_t port) {
  net::LoopGroup loops("resolve", 1);
  net::Resolver resolver;
  Endpoint endpoint{{"127.0.0.1", port}, {}};
  const auto task = [&]() -> Task<void> {
    auto found = co_await resolver.resolve(endpoint.name);
    if (found) endpoint.addresses = std::move(*found);
  };
  net::run_to_end(loops[0], task());
  return endpoint;
}

BenchOptions reads(std::size_t connections) {
  BenchOptions options;
  options.mix = {0, 1, 0};
  options.connections = connections;
  options.timeout = 60s;  // a loaded machine must not add errors
  return options;
}

struct Outcome {
  OperationStats all;
  Outcomes errors;
  std::vector<SeriesRow> series;
  double seconds = 0;
};

// Runs to the end, or stops it after `stop_after`.
Outcome run(const BenchOptions& options, std::uint16_t port, std::chrono::milliseconds stop_after = 0ms) {
  const SteadyTime time;
  const Endpoint endpoint = endpoint_of(port);
  net::LoopGroup loops("bench", options.threads);
  LoadRun load(options, endpoint, loops, time);
  if (stop_after > 0ms) {
    EXPECT_FALSE(test::eventually([&] { return load.ended(); }, stop_after));
    load.stop(100ms);
  }
  EXPECT_TRUE(test::eventually([&] { return load.ended(); }, 120s));
  return {load.collector().total().all(), load.collector().total().errors, load.collector().series(),
          load.measured_seconds()};
}

TEST(LoadRun, SendsExactlyWhatWasCounted) {
  const StubServer server(Behaviour::answers);
  BenchOptions options = reads(7);
  options.threads = 2;
  options.count = 500;
  const Outcome total = run(options, server.port());
  EXPECT_EQ(total.all.requests, 500U);
  EXPECT_EQ(total.all.errors, 0U);
  EXPECT_EQ(server.requests(), 500U);

  options.count = 0;
  options.loops = 30;
  EXPECT_EQ(run(options, server.port()).all.requests, 210U);
  EXPECT_EQ(server.requests(), 710U);
}

TEST(LoadRun, ARateIsKept) {
  const StubServer server(Behaviour::answers);
  BenchOptions options = reads(8);
  options.rate = 400;
  options.count = 400;
  const Outcome outcome = run(options, server.port());
  EXPECT_EQ(outcome.all.requests, 400U);
  EXPECT_EQ(server.requests(), 400U);
  // The last one is due after 399/400 of a second. Later is the machine's business, earlier would be ours.
  EXPECT_GE(outcome.seconds, 399.0 / 400);
  std::uint64_t in_series = 0;
  for (const SeriesRow& row : outcome.series) in_series += row.operation == "all" ? row.requests : 0;
  EXPECT_EQ(in_series, 400U);
}

// The server answers in no time, save one pause of a second. Clients that come at 200 a second, whatever happens, meet that
// pause about 200 times in 400. Clients that wait for their answers meet it twice, once for each connection, among
// thousands of quick answers: their percentiles know nothing of it. This is coordinated omission.
TEST(LoadRun, AClosedLoopHidesAPauseThatARateShows) {
  constexpr auto pause = 1'000ms;
  BenchOptions options = reads(2);
  options.duration = 2s;
  const StubServer for_closed(Behaviour::answers, 50, pause);
  const Outcome closed = run(options, for_closed.port());
  EXPECT_GE(closed.all.latency.max(), pause - 100ms);  // the pause was there …
  EXPECT_LT(closed.all.latency.percentile(90), 100ms);  // … and hardly anybody saw it

  options.rate = 200;
  const StubServer for_open(Behaviour::answers, 50, pause);
  const Outcome open = run(options, for_open.port());
  EXPECT_GE(open.all.latency.max(), pause - 100ms);
  // 180 of 400 requests were due in the first 900 ms of the pause, and waited 100 ms or longer.
  EXPECT_GE(open.all.latency.percentile(60), 100ms);
  EXPECT_GE(open.all.latency.percentile(85), pause / 2 - 100ms);
}

TEST(LoadRun, WarmUpIsSentAndNotMeasured) {
  const StubServer server(Behaviour::answers);
  BenchOptions options = reads(2);
  options.rate = 200;
  options.warm_up = 500ms;
  options.count = 100;
  const Outcome outcome = run(options, server.port());
  EXPECT_EQ(outcome.all.requests, 100U);
  EXPECT_EQ(server.requests(), 200U);
}

TEST(LoadRun, ASilentServerIsATimeOutForEachRequest) {
  const StubServer server(Behaviour::is_silent);
  BenchOptions options = reads(3);
  options.timeout = 100ms;
  options.count = 6;
  const Outcome outcome = run(options, server.port());
  EXPECT_EQ(outcome.errors, (Outcomes{{"no answer in time", 6}}));
  EXPECT_EQ(outcome.all.latency.count(), 6U);
  EXPECT_GE(outcome.all.latency.percentile(0), 100ms);
}

TEST(LoadRun, LostConnectionsAndNonsenseAreErrorsAndTheNextRequestGoesOn) {
  const StubServer closing(Behaviour::closes);
  BenchOptions options = reads(2);
  options.count = 6;
  EXPECT_EQ(run(options, closing.port()).errors, (Outcomes{{"connection closed before the answer", 6}}));
  const StubServer nonsense(Behaviour::talks_nonsense);
  EXPECT_EQ(run(options, nonsense.port()).errors, (Outcomes{{"malformed answer: it does not begin with HTTP/1.", 6}}));
}

TEST(LoadRun, NobodyThereIsAnErrorEachTimeAndNoTightLoop) {
  std::uint16_t free_port = 0;
  {
    const StubServer gone(Behaviour::answers);
    free_port = gone.port();
  }
  BenchOptions options = reads(2);
  options.duration = 1s;
  const Outcome outcome = run(options, free_port);
  EXPECT_EQ(outcome.errors.size(), 1U);
  EXPECT_EQ(outcome.errors.begin()->first, "cannot connect: Connection refused");
  // The pauses grow from 10 ms to a second: two connections come to some twenty attempts, not to thousands.
  EXPECT_GE(outcome.all.errors, 2U);
  EXPECT_LE(outcome.all.errors, 60U);
  EXPECT_EQ(outcome.all.latency.count(), 0U);
}

TEST(LoadRun, StoppedItEndsSoonWhateverItWaitsFor) {
  const StubServer silent(Behaviour::is_silent);
  BenchOptions options = reads(2);
  options.duration = std::chrono::hours(1);
  const Outcome outcome = run(options, silent.port(), 300ms);
  EXPECT_EQ(outcome.all.requests, 0U);  // what we cut off says nothing about the server

  const StubServer answering(Behaviour::answers);
  options.rate = 0.01;  // all connections wait for a time far away
  EXPECT_EQ(run(options, answering.port(), 300ms).all.requests, 1U);
}

TEST(LoadRun, RampUpStartsOneConnectionAfterTheOther) {
  const StubServer server(Behaviour::answers);
  BenchOptions options = reads(4);
  options.ramp_up = 400ms;
  options.loops = 1;
  const Outcome outcome = run(options, server.port());
  EXPECT_EQ(server.requests(), 4U);
  EXPECT_GE(outcome.seconds, 0.3);  // the last begins after three quarters
}

TEST(BaseUrl, OnlyAnAddress) {
  EXPECT_EQ(parse_base_url("http://localhost:8000")->text(), "localhost:8000");
  EXPECT_EQ(parse_base_url("http://localhost:8000/")->text(), "localhost:8000");
  EXPECT_EQ(parse_base_url("http://[::1]:8000")->text(), "[::1]:8000");
  EXPECT_EQ(parse_base_url("http://example.org")->text(), "example.org:80");
  EXPECT_EQ(parse_base_url("localhost:8000")->text(), "localhost:8000");
  for (const char* url :
       {"", "http://", "https://x", "http://x/store", "http://u@x", "http://x:0", "http://x:99999", "ftp://x"}) {
    EXPECT_FALSE(parse_base_url(url)) << url;
  }
}

}  // namespace
}  // namespace armazem::cli
