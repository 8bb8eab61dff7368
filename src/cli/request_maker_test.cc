// Keys, sizes and operations: the same for the same seed, and distributed as asked.
#include "cli/request_maker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace armazem::cli {
namespace {

std::string all_of(const RequestMaker::Made& made) {
  return std::string(made.request.method) + " " + std::string(made.request.target) + "\n" +
         std::string(made.request.headers) + std::string(made.request.body);
}

TEST(RequestMaker, TheSeedAndTheConnectionDecide) {
  BenchOptions options;
  options.values = {SizePattern::uniform, 10, 200};
  const auto sequence = [&options](std::uint64_t seed, std::uint64_t connection) {
    options.seed = seed;
    SharedWork shared(options);
    RequestMaker maker(options, connection, shared);
    std::string text;
    for (int i = 0; i < 50; ++i) text += all_of(maker.next()) + "\n";
    return text;
  };
  EXPECT_EQ(sequence(1, 0), sequence(1, 0));
  EXPECT_NE(sequence(1, 0), sequence(2, 0));
  EXPECT_NE(sequence(1, 0), sequence(1, 1));
  EXPECT_NE(sequence(1, 2), sequence(2, 1));
}

TEST(RequestMaker, TheTwoRoutes) {
  BenchOptions options;
  options.mix = {1, 0, 0};
  options.keys = {KeyPattern::sequential, 10, 0.99, "a b/"};
  options.values = {SizePattern::uniform, 3, 3};
  SharedWork shared(options);
  RequestMaker json(options, 0, shared);
  const auto put = json.next();
  EXPECT_EQ(put.request.target, "/store");
  EXPECT_EQ(put.request.headers, "Content-Type: application/json\r\n");
  EXPECT_TRUE(put.request.body.starts_with(R"({"key":"a b/00000000","value":")")) << put.request.body;
  EXPECT_EQ(put.request.body.size(), std::string_view(R"({"key":"a b/00000000","value":"xxx"})").size());

  options.route = WriteRoute::raw;
  RequestMaker raw(options, 0, shared);
  const auto second = raw.next();
  EXPECT_EQ(second.request.target, "/store/a%20b/00000001");
  EXPECT_EQ(second.request.body.size(), 3U);
  options.mix = {0, 1, 0};
  RequestMaker get(options, 0, shared);
  EXPECT_EQ(get.next().request.target, "/store/a%20b/00000002?raw");
}

TEST(RequestMaker, TheMixIsKept) {
  BenchOptions options;
  options.mix = {50, 45, 5};
  SharedWork shared(options);
  RequestMaker maker(options, 3, shared);
  constexpr int draws = 100'000;
  std::array<int, operation_count> seen{};
  for (int i = 0; i < draws; ++i) ++seen[static_cast<std::size_t>(maker.next().operation)];
  for (std::size_t i = 0; i < operation_count; ++i) {
    const double share = options.mix[i] / 100.0;
    EXPECT_NEAR(seen[i], draws * share, 5 * std::sqrt(draws * share * (1 - share))) << operation_names[i];
  }
}

TEST(RequestMaker, PairsReadWhatTheyWrote) {
  BenchOptions options;
  options.pairs = true;
  options.route = WriteRoute::raw;
  SharedWork shared(options);
  RequestMaker maker(options, 0, shared);
  for (int i = 0; i < 100; ++i) {
    const std::string written(maker.next().request.target);
    const auto read = maker.next();
    EXPECT_EQ(read.operation, Operation::get);
    EXPECT_EQ(read.request.target, written + "?raw");
  }
}

TEST(RequestMaker, ReadLevels) {
  BenchOptions options;
  options.pairs = true;
  SharedWork shared(options);
  const std::string version = "01a20aa1-2b37-7000-b98c-a39308cd9663";
  const auto headers_of_get = [&](ReadLevel level) {
    options.read = level;
    RequestMaker maker(options, 0, shared);
    EXPECT_EQ(maker.next().operation, Operation::put);
    HttpAnswer answer;
    answer.status = 201;
    answer.head = "Armazem-Version: " + version + "\r\n";
    maker.answered(answer);
    return std::string(maker.next().request.headers);
  };
  EXPECT_EQ(headers_of_get(ReadLevel::cached), "");
  EXPECT_EQ(headers_of_get(ReadLevel::strong), "Cache-Control: no-cache\r\n");
  EXPECT_EQ(headers_of_get(ReadLevel::session), "Armazem-Min-Version: " + version + "\r\n");
}

TEST(KeyChooser, UniformIsFlat) {
  const KeyOptions options{KeyPattern::uniform, 20, 0.99, ""};
  KeyCounter counter{0};
  KeyChooser chooser(options, counter);
  Random random(5);
  constexpr int draws = 200'000;
  std::map<std::uint64_t, int> seen;
  for (int i = 0; i < draws; ++i) ++seen[chooser.next(random, false)];
  ASSERT_EQ(seen.size(), 20U);
  for (const auto& [key, times] : seen) EXPECT_NEAR(times, draws / 20.0, 5 * std::sqrt(draws / 20.0)) << key;
}

TEST(KeyChooser, SequentialIsSharedAndBeginsAgain) {
  const KeyOptions options{KeyPattern::sequential, 3, 0.99, ""};
  KeyCounter counter{0};
  KeyChooser one(options, counter);
  KeyChooser other(options, counter);
  Random random(5);
  EXPECT_EQ(one.next(random, true), 0U);
  EXPECT_EQ(other.next(random, true), 1U);
  EXPECT_EQ(one.next(random, false), 2U);
  EXPECT_EQ(other.next(random, true), 0U);
}

TEST(KeyChooser, ZipfLikesTheFirstAndLatestTheNewest) {
  KeyOptions options{KeyPattern::zipf, 1000, 0.99, ""};
  KeyCounter counter{0};
  Random random(5);
  const auto most_frequent = [&](KeyChooser& chooser) {
    std::map<std::uint64_t, int> seen;
    for (int i = 0; i < 20'000; ++i) ++seen[chooser.next(random, false)];
    for (const auto& [key, times] : seen) EXPECT_LT(key, 1000U);
    return std::ranges::max_element(seen, {}, [](const auto& one) { return one.second; })->first;
  };
  KeyChooser zipf(options, counter);
  EXPECT_EQ(most_frequent(zipf), 0U);
  options.pattern = KeyPattern::latest;
  KeyChooser latest(options, counter);
  for (std::uint64_t i = 0; i < 1234; ++i) EXPECT_EQ(latest.next(random, true), i % 1000);
  EXPECT_EQ(most_frequent(latest), 233U);
}

TEST(SizeChooser, StaysInItsRangeAndReachesItsEnds) {
  Random random(9);
  for (const ValueOptions options :
       {ValueOptions{SizePattern::uniform, 10, 13}, ValueOptions{SizePattern::zipf, 10, 13}}) {
    const SizeChooser chooser(options);
    std::map<std::size_t, int> seen;
    for (int i = 0; i < 10'000; ++i) ++seen[chooser.next(random)];
    EXPECT_EQ(seen.size(), 4U);
    EXPECT_EQ(seen.begin()->first, 10U);
    EXPECT_EQ(seen.rbegin()->first, 13U);
    if (options.pattern == SizePattern::zipf) {
      EXPECT_GT(seen[10], 2 * seen[13]);
    }
  }
}

}  // namespace
}  // namespace armazem::cli
