// From headers to a route: a table of targets, and everything that is refused before a body is read.
#include "http/router.h"

#include <gtest/gtest.h>

#include "core/limits.h"
#include "http/request_fixture.h"

namespace armazem::http {
namespace {

class RouterTest : public RequestTest {
 protected:
  std::string slug(std::string_view method, std::string_view target, std::string_view fields = "") {
    return std::string(admit(method, target, fields)->slug());
  }
  Route route(std::string_view target) { return admit("GET", target)->request.route; }
  std::string key(std::string_view target) {
    const auto admitted = admit("GET", target);
    return admitted->request.key ? admitted->request.key->text() : "(" + std::string(admitted->slug()) + ")";
  }
  std::string write(std::string_view fields) { return slug("PUT", "/store/k", fields); }
};

// Targets --------------------------------------------------------------------------------------------------------------

TEST_F(RouterTest, TargetsAndRoutes) {
  EXPECT_EQ(route("/store"), Route::store);
  EXPECT_EQ(route("/store?x"), Route::store);
  EXPECT_EQ(route("/store/k"), Route::store_key);
  EXPECT_EQ(route("/store/"), Route::store_key);
  EXPECT_EQ(route("/operations/"), Route::operation);
  EXPECT_EQ(route("/operations/x?key=k"), Route::operation);
  EXPECT_EQ(route("/health/live"), Route::health_live);
  EXPECT_EQ(route("/health/ready"), Route::health_ready);
  EXPECT_EQ(route("/health/ready?verbose"), Route::health_ready);
  EXPECT_EQ(route("/metrics"), Route::metrics);
  EXPECT_EQ(route("/openapi.json"), Route::openapi);
  EXPECT_EQ(route("/swagger-ui"), Route::swagger_ui);
  EXPECT_EQ(route("/swagger-ui/index.html"), Route::swagger_ui);
  EXPECT_EQ(route("/"), Route::dashboard);
  EXPECT_EQ(route("/?x"), Route::dashboard);
  EXPECT_EQ(route("/ui/dashboard.js"), Route::dashboard);
}

TEST_F(RouterTest, NothingElseIsThere) {
  for (const char* target :
       {"/Store", "/stores", "/operations", "/operation/x", "/store%2Fk", "//store/k", "/store2/k", "/health", "/health/", "/health/live/",
        "/metrics/", "/openapi.yaml", "/swagger-uix", "/ui", "//", "/favicon.ico", "/%2F"}) {
    EXPECT_EQ(slug("GET", target), "route-not-found") << target;
  }
}

TEST_F(RouterTest, KeysAreDecodedOnceAndKeptWhole) {
  EXPECT_EQ(key("/store/k"), "k");
  EXPECT_EQ(key("/store/a/b//c/"), "a/b//c/");
  EXPECT_EQ(key("/store//"), "/");
  EXPECT_EQ(key("/store/."), ".");
  EXPECT_EQ(key("/store/../.."), "../..");
  EXPECT_EQ(key("/store/%2F%2f"), "//");
  EXPECT_EQ(key("/store/%252F"), "%2F");
  EXPECT_EQ(key("/store/a+b%20c"), "a+b c");
  EXPECT_EQ(key("/store/%3Fraw"), "?raw");
  EXPECT_EQ(key("/store/health"), "health");
  EXPECT_EQ(key("/store/%F0%9F%98%80"), "😀");
  EXPECT_EQ(key("/store/\xC3\xA9"), "é");
  EXPECT_EQ(key("/store/k?raw"), "k");
}

TEST_F(RouterTest, KeysThatCannotBe) {
  EXPECT_EQ(key("/store/"), "(key-invalid)");
  EXPECT_EQ(key("/store/?raw"), "(key-invalid)");
  EXPECT_EQ(key("/store/a%00b"), "(key-invalid)");
  EXPECT_EQ(key("/store/%FF"), "(key-invalid)");
  EXPECT_EQ(key("/store/%ED%A0%80"), "(key-invalid)");
  EXPECT_EQ(key("/store/%"), "(percent-encoding-invalid)");
  EXPECT_EQ(key("/store/%4"), "(percent-encoding-invalid)");
  EXPECT_EQ(key("/store/%zz"), "(percent-encoding-invalid)");
  EXPECT_EQ(key("/store/k%?raw"), "(percent-encoding-invalid)");
}

TEST_F(RouterTest, AKeyIsBoundedAfterDecoding) {
  std::string encoded;
  for (std::size_t i = 0; i < limits::key_bytes_max; ++i) encoded += "%41";
  EXPECT_EQ(key("/store/" + encoded), std::string(limits::key_bytes_max, 'A'));
  const auto over = admit("GET", "/store/" + encoded + "B");
  EXPECT_EQ(over->slug(), "key-invalid");
  EXPECT_EQ(over->problem->limit, limits::key_bytes_max);
  EXPECT_EQ(over->problem->size, limits::key_bytes_max + 1);
}

TEST_F(RouterTest, Queries) {
  EXPECT_TRUE(admit("GET", "/store/k?raw")->request.raw);
  EXPECT_TRUE(admit("HEAD", "/store/k?raw=true")->request.raw);
  EXPECT_FALSE(admit("GET", "/store/k?raw=false")->request.raw);
  EXPECT_EQ(slug("GET", "/store/k?raw=false"), "admitted");
  EXPECT_EQ(slug("GET", "/store/k?"), "admitted");
  for (const char* query : {"raw=", "raw=1", "Raw", "raw&raw", "x", "=", "?raw", "raw=true&x=1", "%72aw"}) {
    EXPECT_EQ(slug("GET", "/store/k?" + std::string(query)), "query-invalid") << query;
  }
  for (const char* method : {"PUT", "DELETE"}) EXPECT_EQ(slug(method, "/store/k?raw"), "query-invalid") << method;
}

// Operations -----------------------------------------------------------------------------------------------------------

constexpr std::string_view operation = "/operations/01a20aa1-2b37-7000-b98c-a39308cd9663";

TEST_F(RouterTest, AnOperationIsAVersionAndAKey) {
  const auto admitted = admit("GET", std::string(operation) + "?key=a%2Fb/%26c%3D%2Bd+e=%20f");
  EXPECT_EQ(admitted->slug(), "admitted");
  EXPECT_EQ(admitted->request.operation.text(), operation.substr(12));
  EXPECT_EQ(admitted->request.key->text(), "a/b/&c=+d+e= f");
  EXPECT_TRUE(admitted->request.drop_body);
  EXPECT_EQ(slug("HEAD", std::string(operation) + "?key=k"), "admitted");
  EXPECT_EQ(slug("OPTIONS", operation), "admitted");
}

TEST_F(RouterTest, OperationsWithoutAVersion) {
  for (const char* text : {"", "x", "01a20aa1-2b37-7000-b98c-a39308cd966", "01a20aa1-2b37-7000-b98c-a39308cd9663/",
                           "01a20aa1-2b37-4000-b98c-a39308cd9663", "%3001a20aa1-2b37-7000-b98c-a39308cd966"}) {
    EXPECT_EQ(slug("GET", "/operations/" + std::string(text) + "?key=k"), "version-invalid") << text;
  }
}

TEST_F(RouterTest, OperationsTakeOneKeyAndNothingElse) {
  const auto ask = [&](std::string_view query) { return slug("GET", std::string(operation).append(query)); };
  for (const char* query : {"", "?", "?key", "?Key=k", "?k=v", "?raw", "?key=k&key=k", "?key=k&", "?&key=k", "?x=1&key=k"}) {
    EXPECT_EQ(ask(query), "query-invalid") << query;
  }
  EXPECT_EQ(ask("?key="), "key-invalid");
  EXPECT_EQ(ask("?key=a%00"), "key-invalid");
  EXPECT_EQ(ask("?key=%FF"), "key-invalid");
  EXPECT_EQ(ask("?key=%"), "percent-encoding-invalid");
  const auto over = admit("GET", std::string(operation) + "?key=" + std::string(limits::key_bytes_max + 1, 'a'));
  EXPECT_EQ(over->slug(), "key-invalid");
  EXPECT_EQ(over->problem->size, limits::key_bytes_max + 1);
}

// A version is only a name here: asking for one that is far ahead must not move the clock, and is no fault.
TEST_F(RouterTest, OperationsLeaveTheClockAlone) {
  const Version far = Version::make(Tick::from_ms(time_.wall_ms() + 3'600'000), OpId(7));
  EXPECT_EQ(slug("GET", "/operations/" + far.text() + "?key=k"), "admitted");
  EXPECT_EQ(clock_.lead_ms(), 0);
}

// Methods --------------------------------------------------------------------------------------------------------------

TEST_F(RouterTest, MethodsOfEachRoute) {
  struct Row {
    const char* target;
    std::string_view allowed;
  };
  for (const Row& row : {Row{"/store", "GET HEAD PUT OPTIONS"}, Row{"/batch", "POST OPTIONS"}, Row{"/store/k", "GET HEAD PUT DELETE OPTIONS"},
                         Row{"/operations/01a20aa1-2b37-7000-b98c-a39308cd9663?key=k", "GET HEAD OPTIONS"},
                         Row{"/health/live", "GET HEAD OPTIONS"}, Row{"/metrics", "GET HEAD OPTIONS"},
                         Row{"/", "GET HEAD OPTIONS"}, Row{"/swagger-ui/x", "GET HEAD OPTIONS"}}) {
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "OPTIONS", "TRACE", "get"}) {
      const bool allowed =
          (" " + std::string(row.allowed) + " ").find(" " + std::string(method) + " ") != std::string::npos;
      const auto admitted = admit(method, row.target, "Content-Type: application/json\r\n");
      EXPECT_EQ(admitted->slug(), allowed ? "admitted" : "method-not-allowed") << method << " " << row.target;
      EXPECT_EQ(admitted->problem.value_or(Problem{}).allow, allowed ? "" : allowed_methods(admitted->request.route));
    }
  }
  EXPECT_EQ(allowed_methods(Route::store), "GET, HEAD, PUT, OPTIONS");
  EXPECT_EQ(allowed_methods(Route::store_key), "GET, HEAD, PUT, DELETE, OPTIONS");
  EXPECT_EQ(allowed_methods(Route::metrics), "GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, OptionsOfTheWholeServer) { EXPECT_EQ(slug("OPTIONS", "*"), "admitted"); }

// Reads ----------------------------------------------------------------------------------------------------------------

TEST_F(RouterTest, ConditionsOfReadsMustBeEntityTags) {
  for (const char* value : {"*", "\"a\"", "W/\"a\", \"b\""}) {
    EXPECT_EQ(slug("GET", "/store/k", "If-None-Match: " + std::string(value) + "\r\n"), "admitted") << value;
    EXPECT_EQ(slug("GET", "/store/k", "If-Match: " + std::string(value) + "\r\n"), "admitted") << value;
  }
  EXPECT_EQ(slug("GET", "/store/k", "If-None-Match: a\r\n"), "etag-invalid");
  EXPECT_EQ(slug("HEAD", "/store/k", "If-Match:\r\n"), "etag-invalid");
}

TEST_F(RouterTest, LevelsOfReads) {
  const auto read = [&](std::string_view fields) { return admit("GET", "/store/k", fields)->request.read; };
  for (const char* value : {"no-cache", "No-Cache", "max-age=0", "no-transform, no-cache", "max-age=0 , x"}) {
    EXPECT_TRUE(read("Cache-Control: " + std::string(value) + "\r\n").strong) << value;
  }
  EXPECT_TRUE(read("Cache-Control: no-transform\r\nCache-Control: no-cache\r\n").strong) << "two lines are a list";
  for (const char* value : {"", "no-store", "max-age=1", "max-age=00", "no-cachex", "xno-cache", "only-if-cached"}) {
    EXPECT_FALSE(read("Cache-Control: " + std::string(value) + "\r\n").strong) << value;
  }
  EXPECT_FALSE(read("").strong);
  EXPECT_TRUE(read("").at_least.is_nil());
  const Version seen = Version::make(Tick::from_ms(time_.wall_ms()), OpId(7));
  const ReadHeaders both = read("Armazem-Min-Version: " + seen.text() + "\r\nCache-Control: no-cache\r\n");
  EXPECT_EQ(both.at_least, seen);
  EXPECT_TRUE(both.strong);
}

TEST_F(RouterTest, AMinimumVersionMovesTheClockButNotFar) {
  const auto token = [&](std::uint64_t ahead_ms) {
    const Version seen = Version::make(Tick::from_ms(time_.wall_ms() + ahead_ms), OpId(7));
    return "Armazem-Min-Version: " + seen.text() + "\r\n";
  };
  EXPECT_EQ(slug("GET", "/store/k", token(501)), "version-too-far-ahead");
  EXPECT_EQ(clock_.lead_ms(), 0);
  EXPECT_EQ(slug("GET", "/store/k", token(500)), "admitted");
  EXPECT_EQ(clock_.lead_ms(), 500);
  EXPECT_EQ(slug("GET", "/store/k", "Armazem-Min-Version: 17\r\n"), "version-invalid");
}

// Writes ---------------------------------------------------------------------------------------------------------------

TEST_F(RouterTest, ConditionsOfWrites) {
  const Version version = Version::make(Tick::from_ms(time_.wall_ms()), OpId(7));
  const auto condition = [&](std::string_view fields) {
    return admit("DELETE", "/store/k", fields)->request.write.condition;
  };
  EXPECT_EQ(condition("").kind, Condition::Kind::none);
  EXPECT_EQ(condition("If-None-Match: *\r\n").kind, Condition::Kind::if_absent);
  EXPECT_EQ(condition("If-Match: *\r\n").kind, Condition::Kind::if_present);
  EXPECT_EQ(condition("If-Match: \"" + version.text() + "\"\r\n"), (Condition{Condition::Kind::if_version, version}));
}

TEST_F(RouterTest, TagsThatAreNoVersionsOfOursNeverMatch) {
  const Version version = Version::make(Tick::from_ms(time_.wall_ms()), OpId(7));
  for (const std::string& tag : {std::string("\"abc\""), "W/\"" + version.text() + "\""}) {
    const auto admitted = admit("PUT", "/store/k", "If-Match: " + tag + "\r\n");
    EXPECT_EQ(admitted->slug(), "admitted") << tag;
    EXPECT_EQ(admitted->request.write.condition, (Condition{Condition::Kind::if_version, Version()})) << tag;
  }
}

TEST_F(RouterTest, ConditionsThatAWriteCannotHave) {
  const std::string far = Version::make(Tick::from_ms(time_.wall_ms() + 501), OpId(7)).text();
  for (const char* fields :
       {"If-None-Match: \"a\"\r\n", "If-Match: \"a\", \"b\"\r\n", "If-Match: \"a\"\r\nIf-Match: \"b\"\r\n",
        "If-Match: a\r\n", "If-Match:\r\n", "If-Match: *\r\nIf-None-Match: *\r\n", "If-Match: \"*\"x\r\n"}) {
    EXPECT_EQ(write(fields), "etag-invalid") << fields;
  }
  EXPECT_EQ(write("If-Match: \"" + far + "\"\r\n"), "version-too-far-ahead");
}

TEST_F(RouterTest, TimeToLiveIdempotencyKeyAndWait) {
  const auto admitted = admit("PUT", "/store/k", "Armazem-TTL: 60\r\nIdempotency-Key: order-17\r\nPrefer: wait=7\r\n");
  EXPECT_EQ(admitted->slug(), "admitted");
  EXPECT_EQ(admitted->request.write.ttl_seconds, 60);
  EXPECT_EQ(admitted->request.write.idempotency_key, "order-17");
  EXPECT_EQ(admitted->request.write.wait_seconds, 7);
  EXPECT_EQ(write("Armazem-TTL: 0\r\n"), "ttl-invalid");
  EXPECT_EQ(write("Armazem-TTL:\r\n"), "ttl-invalid");
  EXPECT_EQ(write("Idempotency-Key:\r\n"), "idempotency-key-invalid");
  EXPECT_EQ(write("Idempotency-Key: a b\r\n"), "idempotency-key-invalid");
}

TEST_F(RouterTest, AConditionIsNeverAnsweredLater) {
  EXPECT_EQ(write("Prefer: respond-async\r\n"), "admitted");
  EXPECT_EQ(write("Prefer: respond-async\r\nIf-None-Match: *\r\n"), "respond-async-conditional");
}

TEST_F(RouterTest, ContentOfARawPut) {
  EXPECT_EQ(write(""), "admitted");
  EXPECT_EQ(write("Content-Type: image/png\r\nContent-Encoding: Identity\r\n"), "admitted");
  EXPECT_EQ(write("Content-Type: nonsense\r\n"), "unsupported-media-type");
  EXPECT_EQ(write("Content-Encoding: gzip\r\n"), "unsupported-media-type");
}

TEST_F(RouterTest, ContentOfAJsonPut) {
  const auto put = [&](std::string_view fields) { return slug("PUT", "/store", fields); };
  for (const char* type :
       {"application/json", "Application/JSON; charset=UTF-8", "application/json; charset=\"utf-8\""}) {
    EXPECT_EQ(put("Content-Type: " + std::string(type) + "\r\n"), "admitted") << type;
  }
  for (const char* type : {"text/plain", "application/problem+json", "application/json; charset=latin1",
                           "application/x-www-form-urlencoded", ""}) {
    EXPECT_EQ(put("Content-Type: " + std::string(type) + "\r\n"), "unsupported-media-type") << type;
  }
  EXPECT_EQ(put(""), "unsupported-media-type");
}

TEST_F(RouterTest, BodiesAreBoundedByTheRoute) {
  const auto raw = admit("PUT", "/store/k");
  EXPECT_EQ(raw->request.body_bytes_max, value_bytes_max);
  EXPECT_FALSE(raw->request.drop_body);
  const auto json = admit("PUT", "/store", "Content-Type: application/json\r\n");
  // The longest value and key, every byte written as \u00XX.
  EXPECT_GT(json->request.body_bytes_max, 6 * (value_bytes_max + limits::key_bytes_max));
  for (const char* method : {"GET", "HEAD", "DELETE", "OPTIONS"}) {
    EXPECT_TRUE(admit(method, "/store/k")->request.drop_body) << method;
  }
  // Refused requests too: what is left of their bodies must be bounded before it is skipped.
  EXPECT_GT(admit("POST", "/nowhere")->request.body_bytes_max, 0U);
}

}  // namespace
}  // namespace armazem::http
