#include "checker/json_lines.h"

#include <gtest/gtest.h>

#include <sstream>

#include "checker/check.h"
#include "checker/edn.h"
#include "checker/histories.h"
#include "checker/random_history.h"

namespace armazem::checker {
namespace {

std::string lines_of(const History& history) {
  std::string lines;
  for (const Event& event : history.events) append_event(lines, event);
  for (const FinalState& state : history.finals) append_final(lines, state);
  return lines;
}

TEST(JsonLines, WhatIsWrittenIsReadAgain) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    RandomHistoryOptions made;
    made.applied = seed % 2 == 0;
    const std::string lines = lines_of(random_history(seed, made));
    std::istringstream in(lines);
    HistoryReader reader;
    ASSERT_TRUE(reader.read(in).has_value());
    EXPECT_EQ(lines_of(reader.history()), lines);
  }
}

TEST(JsonLines, AResolutionFindsItsOperation) {
  HistoryBuilder made;
  Event& event = made.accepted(0, 10, 1, 1);
  std::string lines;
  append_event(lines, event, version_of(1));
  append_resolution(lines, event.key, version_of(1), Resolution::applied, version_of(4, 1));
  std::istringstream in(lines);
  HistoryReader reader;
  ASSERT_TRUE(reader.read(in).has_value());
  EXPECT_EQ(reader.history().events.front().resolution, Resolution::applied);
  EXPECT_EQ(reader.history().events.front().version, version_of(4, 1));
}

TEST(JsonLines, AnErrorNamesItsLine) {
  for (const char* const wrong :
       {"{", R"({"type":"op"})", R"({"type":"op","key":1,"op":"swap"})",
        R"({"type":"resolution","key":1,"operation":"x"})",
        R"({"type":"op","key":1,"op":"put","invoked":1,"outcome":"fine"})", R"({"type":"op","key":-1,"op":"put"})"}) {
    std::istringstream in(std::string("\n") + wrong + "\n");
    HistoryReader reader;
    const auto read = reader.read(in);
    ASSERT_FALSE(read.has_value()) << wrong;
    EXPECT_TRUE(read.error().message.starts_with("line 2: ")) << read.error().message;
  }
}

TEST(Edn, IsWhatOtherCheckersRead) {
  HistoryBuilder made;
  made.put(0, 10, 1, 1);
  Event& swap = made.put(20, 30, 2, 2);
  swap.conditional = true;
  swap.if_match = version_of(1);
  made.strong(40, 50, 2, 2);
  made.remove(60, 70, 3);
  made.lost_put(80, 4);
  made.cached(90, 95, 2, 2);
  made.refused(90, 95, 5);
  std::ostringstream out;
  write_edn(out, made.history);
  EXPECT_EQ(out.str(),
            "{:process 0, :type :invoke, :f :write, :key 0, :value 1, :time 0}\n"
            "{:process 0, :type :ok, :f :write, :key 0, :value 1, :time 10000}\n"
            "{:process 0, :type :invoke, :f :cas, :key 0, :value [1 2], :time 20000}\n"
            "{:process 0, :type :ok, :f :cas, :key 0, :value [1 2], :time 30000}\n"
            "{:process 0, :type :invoke, :f :read, :key 0, :value nil, :time 40000}\n"
            "{:process 0, :type :ok, :f :read, :key 0, :value 2, :time 50000}\n"
            "{:process 0, :type :invoke, :f :write, :key 0, :value nil, :time 60000}\n"
            "{:process 0, :type :ok, :f :write, :key 0, :value nil, :time 70000}\n"
            "{:process 0, :type :invoke, :f :write, :key 0, :value 4, :time 80000}\n");
}

}  // namespace
}  // namespace armazem::checker
