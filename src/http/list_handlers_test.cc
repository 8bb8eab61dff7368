// Pages of a list as JSON: their members, how they follow each other, and what is answered when the store does not.
#include "http/list_handlers.h"

#include <boost/json.hpp>

#include <algorithm>

#include "adapters/memory/faulty_store.h"
#include "adapters/memory/memory_store.h"
#include "core/list_cursor.h"
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

// As lines --------------------------------------------------------------------------------------------------------------

class ListLinesTest : public ListTest {
 protected:
  static constexpr std::string_view lines_ = "Accept: application/x-ndjson\r\n";

  Response begin(std::string_view target) {
    Response response = send(target, lines_);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(header_of(response, "Content-Type"), "application/x-ndjson");
    EXPECT_TRUE(response.stream != nullptr);
    return response;
  }
  std::string next(Response& response) { return executor_.run(response.stream->next()).value(); }
  // All pieces; each must be non-empty but the end.
  std::string all(std::string_view target, int* pieces = nullptr) {
    Response response = begin(target);
    std::string text;
    for (std::string piece = next(response); !piece.empty(); piece = next(response)) {
      text += piece;
      if (pieces != nullptr) ++*pieces;
    }
    return text;
  }
  static std::string line(std::string_view key, std::uint64_t ms) {
    return R"({"key":")" + std::string(key) + R"(","version":")" + test::version(ms, ms).text() +
           R"(","size":1,"content_type":"text/plain; charset=utf-8","value":"v"})" "\n";
  }
};

TEST_F(ListLinesTest, OfNothing) { EXPECT_EQ(all("/store"), "{\"end\":true,\"entries\":0}\n"); }

TEST_F(ListLinesTest, EntriesAndAnEnd) {
  given({put("a", "v", 1), put("b", "v", 2), put("c", "v", 3)});
  EXPECT_EQ(all("/store"), line("a", 1) + line("b", 2) + line("c", 3) + "{\"end\":true,\"entries\":3}\n");
  EXPECT_EQ(all("/store?limit=2"), line("a", 1) + line("b", 2) + "{\"end\":true,\"entries\":2,\"next\":\"" + encode_list_cursor("", "b") + "\"}\n");
  EXPECT_EQ(all("/store?after=" + encode_list_cursor("", "b")), line("c", 3) + "{\"end\":true,\"entries\":1}\n");
}

TEST_F(ListLinesTest, LongListsComeInPieces) {
  for (int i = 1000; i < 3500; ++i) given({put("k" + std::to_string(i), "v", 1)});
  int pieces = 0;
  const std::string text = all("/store?keys_only", &pieces);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2501);
  EXPECT_EQ(pieces, 4);
  for (int i = 0; i < 20; ++i) given({put("large" + std::to_string(i), std::string(100'000, 'x'), 1)});
  Response response = begin("/store?prefix=large");
  EXPECT_LT(next(response).size(), 400'000U) << "memory is one piece";
}

TEST_F(ListLinesTest, AStoreThatFailsLaterCutsTheList) {
  for (int i = 1000; i < 2500; ++i) given({put("k" + std::to_string(i), "v", 1)});
  Response response = begin("/store?keys_only");
  store_.fail_next(1, {ErrorCode::unavailable, "away"});
  EXPECT_EQ(std::ranges::count(next(response), '\n'), 1000);
  const std::string words = next(response);
  EXPECT_TRUE(words.starts_with("{\"problem\":{\"type\":\"urn:armazem:problem:store-unavailable\"")) << words;
  EXPECT_TRUE(words.ends_with("}}\n"));
  EXPECT_FALSE(executor_.run(response.stream->next()).has_value());
}

TEST_F(ListLinesTest, AServerThatStopsSaysWhereToGoOn) {
  for (int i = 1000; i < 2500; ++i) given({put("k" + std::to_string(i), "v", 1)});
  Response response = begin("/store?keys_only");
  next(response);
  response.stream->stop();
  EXPECT_EQ(next(response), "{\"end\":true,\"entries\":1000,\"next\":\"" + encode_list_cursor("", "k1999") + "\"}\n");
  EXPECT_EQ(next(response), "");
}

TEST_F(ListLinesTest, AStoreThatFailsAtOnceIsAProblem) {
  store_.fail_next(1, {ErrorCode::unavailable, "away"});
  const Response response = send("/store", lines_);
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.stream == nullptr);
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
