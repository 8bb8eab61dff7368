#include "http/field_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/limits.h"

namespace armazem::http {
namespace {

using testing::ElementsAre;

// Entity tags ----------------------------------------------------------------------------------------------------------

std::vector<std::string> opaque_tags(std::string_view value) {
  const auto parsed = parse_entity_tags(value);
  if (!parsed) return {"malformed"};
  std::vector<std::string> tags;
  for (const EntityTag& tag : parsed->tags) tags.push_back((tag.weak ? "weak:" : "") + std::string(tag.opaque));
  return tags;
}

TEST(EntityTags, TheStarStandsAlone) {
  for (const char* value : {"*", " *", "* ", "\t*"}) {
    const auto parsed = parse_entity_tags(value);
    ASSERT_TRUE(parsed.has_value()) << value;
    EXPECT_TRUE(parsed->any);
    EXPECT_TRUE(parsed->tags.empty());
  }
  EXPECT_FALSE(parse_entity_tags("\"*\"")->any);
  EXPECT_FALSE(parse_entity_tags("*, \"a\"").has_value());
  EXPECT_FALSE(parse_entity_tags("\"a\", *").has_value());
}

TEST(EntityTags, StrongAndWeak) {
  EXPECT_THAT(opaque_tags("\"a\""), ElementsAre("a"));
  EXPECT_THAT(opaque_tags("W/\"a\""), ElementsAre("weak:a"));
  EXPECT_THAT(opaque_tags("\"\""), ElementsAre(""));
  EXPECT_THAT(opaque_tags("\"\xC3\xA9\""), ElementsAre("\xC3\xA9"));
}

TEST(EntityTags, AListAlsoWithEmptyElements) {
  EXPECT_THAT(opaque_tags("\"a\", W/\"b\",\"c\""), ElementsAre("a", "weak:b", "c"));
  EXPECT_THAT(opaque_tags(", \"a\" , ,\"b\","), ElementsAre("a", "b"));
}

TEST(EntityTags, ACommaMayStandInsideATag) { EXPECT_THAT(opaque_tags("\"a,b\", \"c\""), ElementsAre("a,b", "c")); }

// RFC 9110, section 8.8.3: a backslash is a character like any other.
TEST(CacheControl, NoCacheAndMaxAgeZeroAskForTheStore) {
  for (const char* value : {"no-cache", "No-Cache", "max-age=0", "no-store, no-cache", " no-cache ,x", "a=\"b,c\", no-cache"}) {
    EXPECT_TRUE(asks_past_caches(value)) << value;
  }
  for (const char* value : {"", ",", "no-store", "max-age=1", "max-age=00x", "xno-cache", "no-cache-x", "a=\"no-cache\""}) {
    EXPECT_FALSE(asks_past_caches(value)) << value;
  }
}

TEST(EntityTags, ABackslashEscapesNothing) {
  EXPECT_THAT(opaque_tags("\"a\\\", \"b\""), ElementsAre("a\\", "b"));
  EXPECT_THAT(opaque_tags("\"\\\""), ElementsAre("\\"));
}

TEST(EntityTags, MalformedOnesAreNotGuessed) {
  for (const char* value : {"", " ", ",", "a", "\"a", "a\"", "\"", "w/\"a\"", "W/a", "W/", "W/\"", "\"a b\"",
                            "\"a\"b\"", "\"a\" \"b\"", "\"a\"x", "\"a\x7F\"", "\"a\x01\"", "'a'", "**"}) {
    EXPECT_FALSE(parse_entity_tags(value).has_value()) << value;
  }
}

// Media types ----------------------------------------------------------------------------------------------------------

TEST(MediaType, TypeSubtypeAndCharset) {
  const auto parsed = parse_media_type("Text/Plain ; x=\"a;b\" ;charset=UTF-8");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->type, "Text");
  EXPECT_EQ(parsed->subtype, "Plain");
  EXPECT_EQ(parsed->charset, "UTF-8");
  EXPECT_EQ(parse_media_type("text/plain; CHARSET=\"utf-8\"")->charset, "utf-8");
  EXPECT_EQ(parse_media_type("text/plain")->charset, std::nullopt);
  EXPECT_EQ(parse_media_type("text/plain; charsets=x")->charset, std::nullopt);
}

TEST(MediaType, WellFormed) {
  for (const char* value : {"a/b", "application/vnd.a+json", "a/b;", "a/b;;c=d", "a/b;c=\"\"", "a/b;c=\"\\\"\"", "*/*",
                            "\ta/b\t", "multipart/form-data; boundary=\"-- x;y --\""}) {
    EXPECT_TRUE(parse_media_type(value).has_value()) << value;
  }
}

TEST(MediaType, Malformed) {
  for (const char* value : {"", " ", "text", "/plain", "text/", "te xt/plain", "text/pl ain", "a/b/c", "a/b;c",
                            "a/b;=d", "a/b;c=", "a/b;c=\"d", "a/b;c=\"d\"e", "a/b;c=\"\\\"", "a/b;c d=e", "a/b,c/d",
                            "a/b\r\nX: y", "a/\xC3\xA9", "a/b\x7F"}) {
    EXPECT_FALSE(parse_media_type(value).has_value()) << value;
  }
}

TEST(MediaType, LengthIsBounded) {
  const std::string longest = "a/" + std::string(limits::content_type_bytes_max - 2, 'b');
  EXPECT_TRUE(parse_media_type(longest).has_value());
  EXPECT_FALSE(parse_media_type(longest + "b").has_value());
}

TEST(MediaType, JsonIsKnownByNameAndBySuffix) {
  for (const char* value : {"application/json", "APPLICATION/Json", "application/problem+json", "text/x+JSON"}) {
    EXPECT_TRUE(is_json_type(*parse_media_type(value))) << value;
  }
  for (const char* value :
       {"text/json", "application/jsonx", "application/x-json", "application/+json", "json/application"}) {
    EXPECT_FALSE(is_json_type(*parse_media_type(value))) << value;
  }
}

// Accept ---------------------------------------------------------------------------------------------------------------

TEST(Accept, JsonComesFirstUnlessAnotherTypeIsPreferred) {
  for (const char* value : {"", "*/*", "application/json", "Application/JSON", "application/*", "text/html, */*",
                            "text/html;q=0.9, application/json", "text/html, application/json",
                            "application/json;q=0.001", "text/html;q=0", "text/html;q=0.500, */*;q=0.5",
                            "application/json;v=\"a,b\";q=1.0", "text/html;level=1;q=0.4, application/json;q=0.7"}) {
    EXPECT_TRUE(accepts_json_first(value)) << value;
  }
  for (const char* value :
       {"text/html", "application/octet-stream", "text/html, application/json;q=0.9", "text/*;q=0.3",
        "text/html;q=0.8, */*;q=0.1", "image/png, */*;q=0.999", "text/html;Q=0.7, */*;q=0.699",
        "text/html;q=0.38, */*;q=0.35", "text/html;q=0.359, */*;q=0.358", "application/problem+json"}) {
    EXPECT_FALSE(accepts_json_first(value)) << value;
  }
}

// Prefer ---------------------------------------------------------------------------------------------------------------

TEST(AcceptEncoding, NamesTheCodingAndDoesNotRefuseIt) {
  for (const char* value : {"gzip", "GZIP", "br, gzip", "gzip;q=0.1", "deflate, gzip;q=1.0, *;q=0.5", "*", "*;q=0.1, br", "gzip, *;q=0"}) {
    EXPECT_TRUE(accepts_coding(value, "gzip")) << value;
  }
  for (const char* value : {"", "br", "identity", "gzip;q=0", "gzip; q=0, br", "gzip;q=0, *", "*;q=0", "xgzip", "gzipx"}) {
    EXPECT_FALSE(accepts_coding(value, "gzip")) << value;
  }
}

TEST(Accept, JsonLinesOnlyByName) {
  for (const char* accept : {"application/x-ndjson", "Application/X-NDJSON", "application/ndjson", "text/html, application/x-ndjson;q=0.5",
                             "application/x-ndjson, application/json", "application/json;q=0.4, application/x-ndjson;q=0.5"}) {
    EXPECT_TRUE(accepts_json_lines(accept)) << accept;
  }
  for (const char* accept : {"", "*/*", "application/*", "application/json", "application/x-ndjson;q=0",
                             "application/json, application/x-ndjson;q=0.9", "application/x-ndjson2"}) {
    EXPECT_FALSE(accepts_json_lines(accept)) << accept;
  }
}

TEST(Prefer, RespondAsyncAndWait) {
  EXPECT_TRUE(parse_prefer("respond-async").respond_async);
  EXPECT_EQ(parse_prefer("respond-async").wait_seconds, std::nullopt);
  EXPECT_EQ(parse_prefer("wait=5").wait_seconds, 5);
  const Preferences both = parse_prefer("Respond-Async, WAIT = \"7\"; x=y, handling=lenient");
  EXPECT_TRUE(both.respond_async);
  EXPECT_EQ(both.wait_seconds, 7);
}

TEST(Prefer, WaitIsCutToThirtySeconds) {
  EXPECT_EQ(parse_prefer("wait=0").wait_seconds, 0);
  EXPECT_EQ(parse_prefer("wait=30").wait_seconds, 30);
  EXPECT_EQ(parse_prefer("wait=31").wait_seconds, 30);
}

TEST(Prefer, WhatIsNotUnderstoodIsIgnored) {
  for (const char* value :
       {"", ",", "wait", "wait=", "wait=x", "wait=-1", "wait=5s", "wait=1.5", "waits=5", "respond-asynchronous"}) {
    const Preferences parsed = parse_prefer(value);
    EXPECT_EQ(parsed.wait_seconds, std::nullopt) << value;
    EXPECT_FALSE(parsed.respond_async) << value;
  }
}

// RFC 7240, section 2.
TEST(Prefer, OnlyTheFirstOfTheSameCounts) { EXPECT_EQ(parse_prefer("wait=3, wait=9").wait_seconds, 3); }

// The rest -------------------------------------------------------------------------------------------------------------

TEST(TimeToLive, WholeSecondsWithinBounds) {
  EXPECT_EQ(parse_ttl("1"), 1);
  EXPECT_EQ(parse_ttl("0060"), 60);
  EXPECT_EQ(parse_ttl("315360000"), limits::ttl_seconds_max);
  for (const char* value : {"", "0", "-1", "+1", " 1", "1 ", "1s", "1.0", "1e3", "0x10", "315360001",
                            "9223372036854775808", "99999999999999999999"}) {
    EXPECT_EQ(parse_ttl(value), std::nullopt) << value;
  }
}

TEST(IdempotencyKey, VisibleAsciiWithinBounds) {
  EXPECT_TRUE(is_idempotency_key("!"));
  EXPECT_TRUE(is_idempotency_key("~\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
  EXPECT_TRUE(is_idempotency_key(std::string(limits::idempotency_key_bytes_max, 'k')));
  EXPECT_FALSE(is_idempotency_key(std::string(limits::idempotency_key_bytes_max + 1, 'k')));
  for (const char* value : {"", " ", "a b", "a\t", "a\x7F", "\xC3\xA9"})
    EXPECT_FALSE(is_idempotency_key(value)) << value;
}

TEST(EqualIgnoringCase, KnowsAsciiLettersOnly) {
  EXPECT_TRUE(equal_ignoring_case("Host", "hOST"));
  EXPECT_FALSE(equal_ignoring_case("Host", "Hos"));
  EXPECT_FALSE(equal_ignoring_case("@[", "`{"));
  EXPECT_FALSE(equal_ignoring_case("\xC3\x89", "\xC3\xA9"));
}

}  // namespace
}  // namespace armazem::http
