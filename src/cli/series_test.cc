// The time series: collected from several loops, written and read again, drawn.
#include "cli/series.h"

#include <gtest/gtest.h>

#include <sstream>

namespace armazem::cli {
namespace {

using namespace std::chrono_literals;

const MonotonicTime begin{std::chrono::hours(1)};

Stats stats_of(Operation operation, int requests, std::chrono::milliseconds each, int errors = 0) {
  Stats stats;
  HttpAnswer answer;
  for (int i = 0; i < requests; ++i) {
    answer.status = i < errors ? 503 : 200;
    stats.answered(operation, answer, each);
  }
  return stats;
}

TEST(Collector, IntervalsCloseInOrderWhenEveryLoopHasHandedOver) {
  Collector collector(2, begin);
  collector.hand_over(0, 0, stats_of(Operation::put, 10, 5ms), begin + 1s);
  EXPECT_TRUE(collector.series().empty());
  collector.hand_over(0, 1, stats_of(Operation::put, 30, 5ms), begin + 2s);
  collector.hand_over(1, 0, stats_of(Operation::get, 20, 7ms, 5), begin + 1s);
  ASSERT_EQ(collector.series().size(), 3U);
  EXPECT_EQ(collector.series()[0].operation, "PUT");
  EXPECT_EQ(collector.series()[1].operation, "GET");
  EXPECT_EQ(collector.series()[1].errors, 5U);
  EXPECT_EQ(collector.series()[2].operation, "all");
  EXPECT_EQ(collector.series()[2].requests, 30U);
  EXPECT_DOUBLE_EQ(collector.series()[2].per_second, 30.0);

  // The second loop ends early: the first goes on without it.
  collector.finish(1);
  ASSERT_EQ(collector.series().size(), 5U);
  EXPECT_DOUBLE_EQ(collector.series()[4].seconds, 2.0);
  collector.hand_over(0, 2, stats_of(Operation::put, 1, 5ms), begin + 2500ms);
  collector.finish(0);
  EXPECT_DOUBLE_EQ(collector.series().back().per_second, 2.0);  // half a second
  EXPECT_EQ(collector.total().all().requests, 61U);
  EXPECT_EQ(collector.progress().errors, 5U);
  EXPECT_EQ(collector.progress().last_success, begin + 2500ms);
}

TEST(Stats, ErrorsAreCountedByStatusAndProblem) {
  Stats stats;
  HttpAnswer answer;
  answer.status = 503;
  answer.head = "Content-Type: application/problem+json\r\n";
  answer.body = R"({"type":"urn:armazem:problem:store-unavailable","status":503})";
  stats.answered(Operation::get, answer, 1ms);
  answer.body = "no JSON";
  stats.answered(Operation::get, answer, 1ms);
  stats.failed(Operation::put, "no answer in time", true, 5s);
  stats.failed(Operation::put, "cannot connect: Connection refused", false, 1us);
  answer.status = 404;
  stats.answered(Operation::get, answer, 1ms);
  stats.answered(Operation::put, answer, 1ms);
  EXPECT_EQ(stats.errors, (Outcomes{{"404", 1},
                                    {"503", 1},
                                    {"503 store-unavailable", 1},
                                    {"cannot connect: Connection refused", 1},
                                    {"no answer in time", 1}}));
  EXPECT_EQ(stats.successes, (Outcomes{{"404", 1}}));
  EXPECT_EQ(stats.all().requests, 6U);
  EXPECT_EQ(stats.all().errors, 5U);
  // The one that timed out is a latency, the one that was refused at once is not.
  EXPECT_EQ(stats.operations[0].latency.count(), 2U);
  EXPECT_EQ(stats.operations[0].latency.max(), 5s);
}

TEST(Stats, EndlesslyManyKindsOfErrorsDoNotFillTheMemory) {
  Stats stats;
  for (int i = 0; i < 10'000; ++i) stats.failed(Operation::put, "error " + std::to_string(i), false, 1ms);
  EXPECT_LE(stats.errors.size(), 65U);
  EXPECT_GT(stats.errors["other"], 9'000U);
}

std::vector<SeriesRow> some_rows() {
  return {{1.0, "PUT", 100, 0, 100.0, 1.5, 1.25, 2, 3, 4, 5},
          {1.0, "all", 100, 0, 100.0, 1.5, 1.25, 2, 3, 4, 5},
          {2.0, "PUT", 50, 7, 50.0, 15, 12.5, 20, 30, 40, 50},
          {2.0, "all", 50, 7, 50.0, 15, 12.5, 20, 30, 40, 50}};
}

TEST(SeriesCsv, IsReadAsItWasWritten) {
  std::stringstream text;
  write_csv(text, some_rows());
  const auto rows = read_csv(text);
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 4U);
  EXPECT_EQ((*rows)[2].operation, "PUT");
  EXPECT_EQ((*rows)[2].errors, 7U);
  EXPECT_DOUBLE_EQ((*rows)[2].p50_ms, 12.5);
  EXPECT_DOUBLE_EQ((*rows)[3].max_ms, 50);
}

TEST(SeriesCsv, WhatIsNoTimeSeriesIsRefusedWithItsLine) {
  std::stringstream good;
  write_csv(good, some_rows());
  for (const std::string& text :
       {std::string(), std::string("a,b\n"), good.str() + "1,PUT\n", good.str() + "x,PUT,1,1,1,1,1,1,1,1,1\n",
        good.str() + "1,PUT,1,1,1,1,1,1,1,1,-1\n"}) {
    std::stringstream in(text);
    EXPECT_FALSE(read_csv(in)) << text;
  }
  std::stringstream wrong(good.str() + "1,PUT\n");
  EXPECT_NE(read_csv(wrong).error().message.find("line 6"), std::string::npos);
}

TEST(SeriesChart, HasALineForWhatThereIsAndNamesAreEscaped) {
  const std::string chart = draw_chart(some_rows(), "<a & b>");
  EXPECT_TRUE(chart.starts_with("<svg ") && chart.ends_with("</svg>\n"));
  EXPECT_NE(chart.find("&lt;a &amp; b&gt;"), std::string::npos);
  for (const char* name : {">PUT<", ">errors<", ">p50<", ">p99<", ">max<"})
    EXPECT_NE(chart.find(name), std::string::npos) << name;
  EXPECT_EQ(chart.find(">GET<"), std::string::npos);
  EXPECT_EQ(chart.find("nan"), std::string::npos);
  EXPECT_EQ(chart.find("inf"), std::string::npos);
  EXPECT_TRUE(draw_chart({}, "empty").ends_with("</svg>\n"));
}

}  // namespace
}  // namespace armazem::cli
