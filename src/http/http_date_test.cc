#include "http/http_date.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>

namespace armazem::http {
namespace {

std::string http_date(std::uint64_t unix_seconds) {
  std::string out;
  append_http_date(out, unix_seconds);
  return out;
}

TEST(HttpDate, KnownMoments) {
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110, section 5.6.7
  EXPECT_EQ(http_date(951'782'399), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(http_date(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");  // a century that is a leap year
  EXPECT_EQ(http_date(1'709'164'800), "Thu, 29 Feb 2024 00:00:00 GMT");
  EXPECT_EQ(http_date(2'147'483'648), "Tue, 19 Jan 2038 03:14:08 GMT");  // behind 31 bits
  EXPECT_EQ(http_date(4'107'542'400), "Mon, 01 Mar 2100 00:00:00 GMT");  // a century that is none
  EXPECT_EQ(http_date(253'402'300'799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDate, IsAppended) {
  std::string out = "Date: ";
  append_http_date(out, 0);
  EXPECT_EQ(out, "Date: Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(HttpDate, AgreesWithTheCLibrary) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto time = static_cast<std::time_t>(random() % 253'402'300'800U);
    std::tm parts{};
    gmtime_r(&time, &parts);
    char expected[64];
    std::strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    ASSERT_EQ(http_date(static_cast<std::uint64_t>(time)), expected) << time;
    std::strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
    ASSERT_EQ(rfc3339(static_cast<std::uint64_t>(time) * 1000), expected) << time;
  }
}

TEST(Rfc3339, IsReadBack) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t ms = random() % 253'402'300'800'000U;
    ASSERT_EQ(parse_rfc3339(rfc3339(ms)), ms) << ms;
  }
  EXPECT_EQ(parse_rfc3339("2026-11-23T21:00:00Z"), 1'795'467'600'000U);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.1Z"), 100U);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.02Z"), 20U);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), 1'709'164'800'000U);
}

TEST(Rfc3339, NothingElseIsRead) {
  for (const char* text : {"", "Z", "2026-11-23", "2026-11-23T21:00:00", "2026-11-23T21:00:00+00:00", "2026-11-23t21:00:00z",
                           "2026-11-23T21:00:00.Z", "2026-11-23T21:00:00.1234Z", "2026-11-23T24:00:00Z", "2026-11-23T21:60:00Z",
                           "2026-11-23T21:00:60Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z", "1969-12-31T23:59:59Z", " 2026-11-23T21:00:00Z", "2026-11-23T21:00:00ZZ",
                           "2026-1-23T21:00:00Z", "+026-11-23T21:00:00Z", "2026-11-23 21:00:00Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, KeepsMilliseconds) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1'700'000'000'007), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(rfc3339(951'782'399'999), "2000-02-28T23:59:59.999Z");
}

}  // namespace
}  // namespace armazem::http
