// Pages of a list as JSON: their members, how they follow each other, and what is answered when the store does not.
#include "http/list_handlers.h"

#include <boost/json.hpp>

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "http/request_fixture.h"
#include "support/mutations.h"
#include "support/run_task.h"

namespace armazem::http {
namespace {

namespace json = boost::json;
using test::put;

class ListTest : public RequestTest {
 protected:
  void given(std::vector<Mutation> mutations) {
    ASSERT_TRUE(executor_.run(memory_.apply(std::move(mutations), {}, test::soon())).has_value());
  }
  Response send(std::string_view target, std::string_view fields = "") {
    Response response;
    const auto admitted = admit("GET", target, fields);
    EXPECT_EQ(admitted->slug(), "admitted") << target;
    executor_.run(handlers_.handle(admitted->request, response));
    return response;
  }
  json::object list(std::string_view target) {
    const Response response = send(target);
    EXPECT_EQ(response.status, 200);
    return json::parse(response.body).as_object();
  }
  static std::string names(const json::object& page) {
    std::string names;
    for (const auto& entry : page.at("entries").as_array()) names += std::string(entry.at("key").as_string()) + " ";
    return names;
  }

  MemoryStore memory_{time_};
  FaultyStore store_{memory_};
  Lister lister_{store_, time_};
  ListHandlers handlers_{lister_, std::chrono::seconds(60)};
  test::TestExecutor executor_;
};

TEST_F(ListTest, OfNothing) {
  const Response response = send("/store", "X-Request-Id: r1\r\n");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "{\"entries\":[]}\n");
  EXPECT_EQ(header_of(response, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(header_of(response, "Armazem-Source"), "store");
  EXPECT_EQ(header_of(response, "X-Request-Id"), "r1");
}

TEST_F(ListTest, WholeEntriesInOrder) {
  given({put("b", "two", 2), put("a", "one", 1), put("c", "", 3)});
  const Response response = send("/store");
  EXPECT_EQ(response.body,
            R"({"entries":[{"key":"a","version":")" + test::version(1, 1).text() +
                R"(","size":3,"content_type":"text/plain; charset=utf-8","value":"one"},{"key":"b","version":")" +
                test::version(2, 2).text() +
                R"(","size":3,"content_type":"text/plain; charset=utf-8","value":"two"},{"key":"c","version":")" +
                test::version(3, 3).text() + R"(","size":0,"content_type":"text/plain; charset=utf-8","value":""}]})" "\n");
}

TEST_F(ListTest, PagesFollowEachOther) {
  for (int i = 100; i < 350; ++i) given({put("k/" + std::to_string(i), "v", 1), put("other", "v", 1)});
  std::string all;
  std::string target = "/store?prefix=k/&limit=99";
  int pages = 0;
  while (true) {
    const json::object page = list(target);
    all += names(page);
    ++pages;
    if (!page.contains("next")) break;
    target = "/store?prefix=k/&limit=99&after=" + std::string(page.at("next").as_string());
  }
  EXPECT_EQ(pages, 3);
  std::string expected;
  for (int i = 100; i < 350; ++i) expected += "k/" + std::to_string(i) + " ";
  EXPECT_EQ(all, expected);
  EXPECT_EQ(list("/store?prefix=k/").at("entries").as_array().size(), 100U) << "without a limit";
}

TEST_F(ListTest, KeysOnlyHaveTheSizeAndNoValue) {
  given({put("a", "value", 1)});
  const json::object page = list("/store?keys_only");
  const json::object& entry = page.at("entries").as_array().at(0).as_object();
  EXPECT_EQ(entry.at("size").as_int64(), 5);
  EXPECT_FALSE(entry.contains("value") || entry.contains("value_base64"));
}

TEST_F(ListTest, ValuesInBase64) {
  given({put("a", "foo", 1)});
  const json::object page = list("/store?values=base64");
  EXPECT_EQ(page.at("entries").at(0).at("value_base64").as_string(), "Zm9v");
}

TEST_F(ListTest, LargePagesAreMadeInPieces) {
  for (int i = 0; i < 8; ++i) given({put("k" + std::to_string(i), std::string(200'000, 'x'), 1)});
  const json::object page = list("/store");
  EXPECT_EQ(names(page), "k0 k1 k2 k3 k4 k5 k6 k7 ");
  EXPECT_EQ(page.at("entries").at(7).at("value").as_string(), std::string(200'000, 'x'));
}

TEST_F(ListTest, AFailingStoreIsAProblem) {
  store_.fail_next(1, {ErrorCode::unavailable, "away"});
  const Response response = send("/store");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header_of(response, "Content-Type"), "application/problem+json");
  EXPECT_NE(response.body.find("store-unavailable"), response.body.npos);
}

}  // namespace
}  // namespace armazem::http
