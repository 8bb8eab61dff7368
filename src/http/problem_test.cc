#include "http/problem.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "core/limits.h"
#include "http/request_parser.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

constexpr std::size_t problem_count = static_cast<std::size_t>(ProblemType::version_too_far_ahead) + 1;

std::vector<ProblemType> all_types() {
  std::vector<ProblemType> all;
  for (std::size_t i = 0; i < problem_count; ++i) all.push_back(static_cast<ProblemType>(i));
  return all;
}

struct Rendered {
  Response response;
  json::object body;
  [[nodiscard]] std::string text(const char* member) const { return std::string(body.at(member).as_string()); }
};
Rendered rendered(const Problem& problem) {
  Rendered result;
  render(problem, "req-1", result.response);
  result.body = json::parse(result.response.body).as_object();
  return result;
}

TEST(Problem, EveryTypeHasASlugOfItsOwnAndAStatusThatWeSend) {
  std::set<std::string_view> slugs;
  for (const ProblemType type : all_types()) {
    const ProblemInfo& about = info(type);
    EXPECT_TRUE(slugs.insert(about.slug).second) << about.slug;
    EXPECT_EQ(about.slug.find_first_not_of("abcdefghijklmnopqrstuvwxyz-0123456789"), about.slug.npos) << about.slug;
    EXPECT_FALSE(about.title.empty()) << about.slug;
    EXPECT_NE(reason_phrase(about.status), "Unknown") << about.slug;
    EXPECT_GE(about.status, 400) << about.slug;
  }
  EXPECT_EQ(slugs.size(), problem_count);
}

// The table is in the order of the enumeration: a row that slipped would show here.
TEST(Problem, SlugsBelongToTheirTypes) {
  EXPECT_EQ(info(ProblemType::body_invalid).slug, "body-invalid");
  EXPECT_EQ(info(ProblemType::internal).slug, "internal");
  EXPECT_EQ(info(ProblemType::outcome_unknown).slug, "outcome-unknown");
  EXPECT_EQ(info(ProblemType::request_timeout).slug, "request-timeout");
  EXPECT_EQ(info(ProblemType::tls_on_plain_port).slug, "tls-on-plain-port");
  EXPECT_EQ(info(ProblemType::version_too_far_ahead).slug, "version-too-far-ahead");
}

TEST(Problem, OnlyWhatHadNoEffectIsRetryable) {
  for (const ProblemType type : all_types()) {
    const ProblemInfo& about = info(type);
    EXPECT_EQ(about.retryable, about.status == 503 || about.status == 408 || about.status == 429) << about.slug;
  }
}

TEST(Problem, EveryTypeRendersToJsonThatParses) {
  for (const ProblemType type : all_types()) {
    const ProblemInfo& about = info(type);
    const Rendered result = rendered({type, "a \"detail\"\n\x01 é"});
    EXPECT_EQ(result.response.status, about.status);
    EXPECT_EQ(result.text("type"), "urn:armazem:problem:" + std::string(about.slug));
    EXPECT_EQ(result.text("title"), about.title);
    EXPECT_EQ(result.body.at("status"), about.status);
    EXPECT_EQ(result.text("detail"), "a \"detail\"\n\x01 é");
    EXPECT_EQ(result.body.at("retryable"), about.retryable);
    EXPECT_EQ(result.text("request_id"), "req-1");
    EXPECT_EQ(result.body.size(), 6U) << "nothing that was not given";
    EXPECT_NE(result.response.headers.find("Content-Type: application/problem+json\r\n"), std::string::npos);
    EXPECT_NE(result.response.headers.find("X-Request-Id: req-1\r\n"), std::string::npos);
    const bool waits = result.response.headers.find("Retry-After: 1\r\n") != std::string::npos;
    EXPECT_EQ(waits, about.status == 503 || about.status == 429) << about.slug;
  }
}

TEST(Problem, WhatIsGivenStandsInTheBody) {
  Problem problem{ProblemType::precondition_failed, "no"};
  problem.limit = 18'446'744'073'709'551'615U;
  problem.size = 0;
  problem.field = "va\"lue";
  problem.allow = "GET, PUT";
  problem.current_etag = "\"0193\"";
  const Rendered result = rendered(problem);
  EXPECT_EQ(result.body.at("limit").as_uint64(), 18'446'744'073'709'551'615U);
  EXPECT_EQ(result.body.at("size"), 0);
  EXPECT_EQ(result.text("field"), "va\"lue");
  EXPECT_EQ(result.text("allow"), "GET, PUT");
  EXPECT_EQ(result.text("current_etag"), "\"0193\"");
  EXPECT_NE(result.response.headers.find("Allow: GET, PUT\r\n"), std::string::npos);
  EXPECT_NE(result.response.headers.find("ETag: \"0193\"\r\n"), std::string::npos);
}

TEST(Problem, NoCurrentVersionIsShownAsNull) {
  Problem problem{ProblemType::precondition_failed, "no"};
  problem.current_etag = "";
  const Rendered result = rendered(problem);
  EXPECT_TRUE(result.body.at("current_etag").is_null());
  EXPECT_EQ(result.response.headers.find("ETag"), std::string::npos);
}

TEST(Problem, RenderReplacesWhatTheResponseHeld) {
  Response response;
  response.body = "half an answer";
  response.static_body = "page";
  response.add_header("X-Old", "1");
  render({ProblemType::internal, "x"}, "req-1", response);
  EXPECT_TRUE(response.content().starts_with("{\"type\""));
  EXPECT_EQ(response.headers.find("X-Old"), std::string::npos);
}

TEST(Problem, EveryErrorCodeBecomesAProblem) {
  const auto slug = [](ErrorCode code) { return info(problem_of({code, "why"}).type).slug; };
  EXPECT_EQ(slug(ErrorCode::invalid_argument), "request-invalid");
  EXPECT_EQ(slug(ErrorCode::overloaded), "overloaded");
  EXPECT_EQ(slug(ErrorCode::unavailable), "store-unavailable");
  EXPECT_EQ(slug(ErrorCode::storage_full), "store-full");
  EXPECT_EQ(slug(ErrorCode::deadline_exceeded), "overloaded");
  EXPECT_EQ(slug(ErrorCode::outcome_unknown), "outcome-unknown");
  EXPECT_EQ(slug(ErrorCode::data_damaged), "data-damaged");
  EXPECT_EQ(slug(ErrorCode::precondition), "internal");
  EXPECT_EQ(slug(ErrorCode::internal), "internal");
  EXPECT_EQ(problem_of({ErrorCode::internal, "why"}).detail, "why");
}

// An error that may be retried must not become a problem that says otherwise, nor the other way round.
TEST(Problem, ErrorsAndProblemsAgreeOnRetries) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const Error error{static_cast<ErrorCode>(i), "why"};
    EXPECT_EQ(info(problem_of(error).type).retryable, error.retryable()) << to_string(error.code);
  }
}

TEST(Problem, TheUsersPageListsEveryType) {
  std::ifstream page(ARMAZEM_SOURCE_DIR "/docs/problems.md");
  std::stringstream text;
  text << page.rdbuf();
  for (const ProblemType type : all_types()) {
    const ProblemInfo& about = info(type);
    const std::string row = "| `" + std::string(about.slug) + "` | " + std::to_string(about.status) + " | " +
                            (about.retryable ? "yes" : "no") + " |";
    EXPECT_NE(text.str().find(row), std::string::npos) << row;
  }
}

// Request ids ----------------------------------------------------------------------------------------------------------

TEST(RequestId, WellFormedOnesAreKept) {
  EXPECT_TRUE(is_request_id("8e03978e-40d5-43dd-bc93-6894a57f9324"));
  EXPECT_TRUE(is_request_id("A._:/+=@-z0"));
  EXPECT_TRUE(is_request_id(std::string(limits::request_id_bytes_max, 'x')));
  EXPECT_FALSE(is_request_id(std::string(limits::request_id_bytes_max + 1, 'x')));
  for (const char* text : {"", " ", "a b", "a\"b", "a\r\nX: y", "a,b", "é", "a\x7F"})
    EXPECT_FALSE(is_request_id(text)) << text;
}

TEST(RequestId, OthersAreReplacedByAFreshOne) {
  const auto id_for = [](const std::string& block) {
    RequestHead head;
    EXPECT_EQ(parse_head(block, head), std::nullopt);
    return request_id_or_new(head);
  };
  EXPECT_EQ(id_for("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\n\r\n"), "mine");
  const std::string fresh = id_for("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: not mine\r\n\r\n");
  EXPECT_NE(fresh, "not mine");
  EXPECT_TRUE(is_request_id(fresh));
  EXPECT_NE(fresh, id_for("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestId, FreshOnesAreDifferent) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(new_request_id());
  EXPECT_EQ(ids.size(), 1000U);
}

}  // namespace
}  // namespace armazem::http
