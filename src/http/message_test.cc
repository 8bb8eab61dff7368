#include "http/message.h"

#include <gtest/gtest.h>

#include <set>

namespace armazem::http {
namespace {

TEST(Message, MethodsAndRoutesHaveNamesOfTheirOwn) {
  std::set<std::string_view> methods;
  for (std::size_t i = 0; i < method_count; ++i) methods.insert(to_string(static_cast<Method>(i)));
  EXPECT_EQ(methods.size(), method_count);
  EXPECT_EQ(to_string(Method::remove), "DELETE");
  EXPECT_EQ(to_string(Method::options), "OPTIONS");
  EXPECT_EQ(to_string(Method::other), "other");

  std::set<std::string_view> routes;
  for (std::size_t i = 0; i < route_count; ++i) routes.insert(to_string(static_cast<Route>(i)));
  EXPECT_EQ(routes.size(), route_count);
  EXPECT_EQ(to_string(Route::store_key), "/store/{key}");
  EXPECT_EQ(to_string(Route::dashboard), "/");
  EXPECT_EQ(to_string(Route::other), "other");
}

TEST(Message, ReasonPhrases) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(412), "Precondition Failed");
  EXPECT_EQ(reason_phrase(505), "HTTP Version Not Supported");
  EXPECT_EQ(reason_phrase(299), "Unknown");
}

TEST(RequestHead, HasABodyWhenALengthOrChunksSaySo) {
  RequestHead head;
  EXPECT_FALSE(head.has_body());
  head.content_length = 0;
  EXPECT_FALSE(head.has_body());
  head.content_length = 1;
  EXPECT_TRUE(head.has_body());
  head.content_length.reset();
  head.chunked = true;
  EXPECT_TRUE(head.has_body());
}

TEST(Response, ContentIsTheStaticBodyWhenThereIsOne) {
  Response response;
  response.body = "own";
  EXPECT_EQ(response.content(), "own");
  response.static_body = "page";
  EXPECT_EQ(response.content(), "page");
}

TEST(Response, ClearForgetsEverything) {
  Response response;
  response.status = 404;
  response.add_header("Allow", "GET");
  response.add_header("ETag", "\"x\"");
  EXPECT_EQ(response.headers, "Allow: GET\r\nETag: \"x\"\r\n");
  response.body = "own";
  response.static_body = "page";
  response.clear();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.headers, "");
  EXPECT_EQ(response.content(), "");
}

}  // namespace
}  // namespace armazem::http
