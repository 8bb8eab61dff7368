#include "core/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace armazem {
namespace {

constexpr ErrorCode all_codes[] = {
    ErrorCode::invalid_argument, ErrorCode::overloaded,      ErrorCode::unavailable,
    ErrorCode::storage_full,     ErrorCode::deadline_exceeded, ErrorCode::outcome_unknown,
    ErrorCode::not_yet_visible,  ErrorCode::data_damaged,      ErrorCode::precondition,    ErrorCode::internal,
};

TEST(Result, HoldsAValue) {
  const Result<int> result = 7;
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(*result, 7);
}

TEST(Result, HoldsAnError) {
  const Result<int> result = fail(ErrorCode::overloaded, "too many");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::overloaded);
  EXPECT_EQ(result.error().message, "too many");
}

TEST(Result, OfNothingHoldsSuccessOrAnError) {
  EXPECT_TRUE(Result<void>().has_value());
  EXPECT_FALSE(Result<void>(fail(ErrorCode::unavailable, "closing")).has_value());
}

TEST(Result, CarriesMoveOnlyValues) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 3);
}

TEST(Result, AnErrorIsPassedOnToAnotherType) {
  Result<int> inner = fail(ErrorCode::data_damaged, "checksum");
  const Result<std::string> outer = fail(std::move(inner).error());
  EXPECT_EQ(outer.error().code, ErrorCode::data_damaged);
  EXPECT_EQ(outer.error().message, "checksum");
}

TEST(Error, CodesHaveDistinctNames) {
  std::set<std::string_view> names;
  for (const ErrorCode code : all_codes) names.insert(to_string(code));
  EXPECT_EQ(names.size(), std::size(all_codes));
  EXPECT_EQ(to_string(ErrorCode::outcome_unknown), "outcome_unknown");
}

// Retryable means: certainly no effect, and it may work next time. An unknown outcome must not be among them.
TEST(Error, OnlyCertainAndPassingFailuresAreRetryable) {
  const std::set<ErrorCode> retryable = {ErrorCode::overloaded, ErrorCode::unavailable,
                                         ErrorCode::storage_full, ErrorCode::deadline_exceeded,
                                         ErrorCode::not_yet_visible};
  for (const ErrorCode code : all_codes) {
    EXPECT_EQ((Error{code, ""}.retryable()), retryable.contains(code)) << to_string(code);
  }
}

TEST(Error, ContextIsPutInFrontAndTheCauseKept) {
  const Error error = Error{ErrorCode::precondition, "lock is held"}.with_context("./data").with_context("opening");
  EXPECT_EQ(error.message, "opening: ./data: lock is held");
  EXPECT_EQ(error.code, ErrorCode::precondition);
}

}  // namespace
}  // namespace armazem
