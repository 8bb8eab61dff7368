// Known-good and known-bad histories of strong reads and writes, one promise each.
#include <gtest/gtest.h>

#include "checker/histories.h"

namespace armazem::checker {
namespace {

Violation judged(const HistoryBuilder& made, CheckOptions options = {}) { return check(made.history, options).violation; }

CheckOptions values_only() {
  CheckOptions options;
  options.versions_order = false;
  return options;
}

TEST(Linearizability, EmptyIsGood) { EXPECT_TRUE(check({}).ok); }

TEST(Linearizability, AReadSeesTheWriteThatEndedBeforeIt) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.strong(20, 30, 1, 1);
  EXPECT_EQ(judged(good), Violation::none);
}

TEST(Linearizability, AStaleStrongReadIsFound) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 1);
  bad.put(20, 30, 2, 2);
  bad.strong(40, 50, 1, 1);
  EXPECT_EQ(judged(bad), Violation::version_order);
  HistoryBuilder without_versions;
  without_versions.put(0, 10, 1, 0);
  without_versions.put(20, 30, 2, 0);
  without_versions.strong(40, 50, 1);
  const Verdict verdict = check(without_versions.history);
  EXPECT_EQ(verdict.violation, Violation::not_linearizable);
  EXPECT_EQ(verdict.events, (std::vector<std::size_t>{0, 1, 2}));
}

TEST(Linearizability, AnOverlappingReadMaySeeEither) {
  for (const std::uint64_t value : {1, 2}) {
    HistoryBuilder good;
    good.put(0, 10, 1, 0);
    good.put(20, 40, 2, 0);
    good.strong(25, 30, value);
    EXPECT_EQ(judged(good), Violation::none);
  }
}

TEST(Linearizability, TwoReadsDuringAWriteMayNotGoBack) {
  HistoryBuilder bad;
  bad.put(0, 10, 1, 0);
  bad.put(20, 90, 2, 0);
  bad.strong(30, 40, 2);
  bad.strong(50, 60, 1);
  EXPECT_EQ(judged(bad), Violation::not_linearizable);
}

TEST(Linearizability, AnUnknownWriteMayAppearLateAndStays) {
  HistoryBuilder good;
  good.put(0, 10, 1, 1);
  good.lost_put(20, 2);
  good.strong(30, 40, 1, 1);
  good.strong(50, 60, 2, 2);
  EXPECT_EQ(judged(good), Violation::none);
  good.strong(70, 80, 1, 1);
  EXPECT_EQ(judged(good), Violation::version_order);
  EXPECT_EQ(judged(good, values_only()), Violation::not_linearizable);
}

}  // namespace
}  // namespace armazem::checker
