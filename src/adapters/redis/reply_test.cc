// Replies, whole and in pieces.
#include "adapters/redis/reply.h"

#include <gtest/gtest.h>

namespace armazem::redis {
namespace {

std::string text_of(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::nil: return "nil";
    case Reply::Kind::integer: return std::to_string(reply.integer);
    case Reply::Kind::status: return "+" + reply.text;
    case Reply::Kind::error: return "-" + reply.text;
    case Reply::Kind::bulk: return "'" + reply.text + "'";
    case Reply::Kind::array: break;
  }
  std::string all = "[";
  for (const Reply& item : reply.items) all += text_of(item) + ";";
  return all + "]";
}

std::string parse(std::string_view bytes, std::size_t piece) {
  ReplyParser parser;
  std::string all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    parser.feed(bytes.substr(at, piece));
    Reply reply;
    ReplyParser::Step step{};
    while ((step = parser.next(reply)) == ReplyParser::Step::reply) all += text_of(reply) + " ";
    if (step == ReplyParser::Step::broken) return all + "broken";
  }
  return all;
}

TEST(ReplyParser, AllKindsInPiecesOfAnySize) {
  const std::string_view bytes =
      "+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n$0\r\n\r\n$4\r\na\r\nb\r\n*-1\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n+y\r\n:9\r\n";
  const std::string expected = "+OK -ERR no -7 nil '' 'a\r\nb' nil [] [1;['x';nil;];+y;] 9 ";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, bytes.size()}) {
    EXPECT_EQ(parse(bytes, piece), expected) << piece;
  }
}

TEST(ReplyParser, WhatIsMalformedOrTooLargeBreaksIt) {
  for (const std::string_view bytes : {"?\r\n", "$x\r\n", "*1025\r\n", "*2147483647\r\n", "*-2\r\n", "$-2\r\n", "$67174401\r\n",
                                       "$99999999999999999999\r\n", ":\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"}) {
    EXPECT_EQ(parse(bytes, bytes.size()), "broken") << bytes;
  }
}

TEST(ReplyParser, NothingComesAfterAnError) {
  ReplyParser parser;
  parser.feed("?\r\n");
  Reply reply;
  EXPECT_EQ(parser.next(reply), ReplyParser::Step::broken);
  parser.feed("+OK\r\n");
  EXPECT_EQ(parser.next(reply), ReplyParser::Step::broken);
  EXPECT_NE(parser.error(), "");
}

TEST(Command, IsWrittenWithLengths) {
  std::string out = "x";
  const std::array<std::string_view, 3> command = {"GET", std::string_view("a\r\n\0", 4), ""};
  append_command(out, command);
  EXPECT_EQ(out, std::string("x*3\r\n$3\r\nGET\r\n$4\r\na\r\n\0\r\n$0\r\n\r\n", 30));
}

}  // namespace
}  // namespace armazem::redis
