#include "cli/event_stream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace armazem::cli {
namespace {

class EventStreamTest : public testing::Test {
 protected:
  // "type=data;" of each event that came.
  std::string feed(std::string_view bytes, std::size_t piece = std::string_view::npos) {
    std::string seen;
    const auto use = [&](const StreamEvent& event) {
      seen += event.type + "=" + event.data + ";";
      return Result<void>();
    };
    while (!bytes.empty()) {
      EXPECT_TRUE(parser_.feed(bytes.substr(0, piece), use).has_value());
      bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return seen;
  }
  EventStreamParser parser_;
};

constexpr std::string_view stream =
    "retry: 1000\n\nevent: put\nid: a-1\ndata: {\"key\":\"x\"}\n\n: nothing new\n\nid: a-2\n\ndata:one\ndata:  two\ndata\n\n";

TEST_F(EventStreamTest, EventsCommentsAndIds) {
  EXPECT_EQ(feed(stream), "put={\"key\":\"x\"};message=one\n two\n;");
  EXPECT_EQ(parser_.last_id(), "a-2");
}

TEST_F(EventStreamTest, InPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < stream.size(); ++piece) {
    parser_ = EventStreamParser();
    EXPECT_EQ(feed(stream, piece), "put={\"key\":\"x\"};message=one\n two\n;") << piece;
  }
}

TEST_F(EventStreamTest, EveryLineEnd) {
  for (const std::size_t piece : {1, 100}) {
    EXPECT_EQ(feed("data: a\r\n\r\ndata: b\r\rdata: c\n\n", piece), "message=a;message=b;message=c;");
    parser_ = EventStreamParser();
  }
}

TEST_F(EventStreamTest, AByteOrderMarkOnlyAtTheBegin) {
  EXPECT_EQ(feed("\xEF\xBB\xBF" "data: a\n\n\xEF\xBB\xBF" "data: b\n\n"), "message=a;");
}

TEST_F(EventStreamTest, AnEventWithoutDataIsNone) {
  EXPECT_EQ(feed("event: put\nid: 7\n\ndata: x\n\n"), "message=x;");
  EXPECT_EQ(parser_.last_id(), "7");
}

TEST_F(EventStreamTest, EmptyDataIsData) { EXPECT_EQ(feed("data\n\ndata:\n\n"), "message=;message=;"); }

TEST_F(EventStreamTest, FieldsOfOthersAreIgnored) { EXPECT_EQ(feed("x: 1\nDATA: no\ndata : no\ndata: y\n\n"), "message=y;"); }

TEST_F(EventStreamTest, AnIdCountsWhenItsEventIsComplete) {
  feed("id: 1\ndata: a\n\nid: 2\ndata: b\n");
  EXPECT_EQ(parser_.last_id(), "1");
  parser_.begin_anew();
  EXPECT_EQ(feed("data: c\n\n"), "message=c;") << "what was cut off is gone";
  EXPECT_EQ(parser_.last_id(), "1");
}

TEST_F(EventStreamTest, AnIdMayBeEmptiedButHoldsNoNul) {
  feed("id: 1\n\n");
  feed(std::string_view("id: 2\0\n\n", 8));
  EXPECT_EQ(parser_.last_id(), "1");
  feed("id\n\n");
  EXPECT_EQ(parser_.last_id(), "");
}

TEST_F(EventStreamTest, WhatIsEndlessIsRefused) {
  const std::string piece(100'000, 'x');
  Result<void> fed = parser_.feed("data: ", [](const StreamEvent&) { return Result<void>(); });
  for (int i = 0; fed && i < 100; ++i) fed = parser_.feed(piece, [](const StreamEvent&) { return Result<void>(); });
  EXPECT_FALSE(fed.has_value());
}

TEST_F(EventStreamTest, AFailureOfTheUserEndsIt) {
  const Result<void> fed =
      parser_.feed("data: a\n\ndata: b\n\n", [](const StreamEvent&) -> Result<void> { return fail(ErrorCode::internal, "full"); });
  ASSERT_FALSE(fed.has_value());
  EXPECT_EQ(fed.error().message, "full");
}

}  // namespace
}  // namespace armazem::cli
