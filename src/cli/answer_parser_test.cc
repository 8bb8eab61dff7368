#include "cli/answer_parser.h"

#include <gtest/gtest.h>

namespace armazem::cli {
namespace {

struct Parsed {
  HttpAnswer answer;
  std::string error;
  std::string left;  // what was not used
  bool done = false;
};

// Presents `text` in pieces of `piece` bytes, as a socket may.
Parsed parse(std::string_view text, std::size_t piece = 1'000'000, bool head_only = false,
             std::size_t body_bytes_max = 1000) {
  Parsed parsed;
  AnswerParser parser(body_bytes_max, head_only);
  std::string pending;
  while (!text.empty() && !parser.done()) {
    pending.append(text.substr(0, piece));
    text.remove_prefix(std::min(piece, text.size()));
    const Result<std::size_t> used = parser.feed(pending, parsed.answer);
    if (!used) {
      parsed.error = used.error().message;
      return parsed;
    }
    pending.erase(0, *used);
  }
  parsed.left = pending + std::string(text);
  if (!parser.done()) {
    if (const Result<void> ended = parser.end_of_stream(); !ended) parsed.error = ended.error().message;
  }
  parsed.done = parser.done();
  return parsed;
}

TEST(AnswerParser, EveryFramingInPiecesOfEverySize) {
  const struct {
    const char* text;
    int status;
    const char* body;
    bool keep_alive;
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
      {"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", 201, "", true},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n", 304, "", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", 200,
       "hello world", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: foo, Close\r\n\r\nok", 200, "ok", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
      {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", false},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404\r\nContent-Length: 1\r\n\r\nx",
       404, "x", true},
  };
  for (const auto& one : cases) {
    for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
      const Parsed parsed = parse(one.text, piece);
      EXPECT_EQ(parsed.error, "") << one.text;
      EXPECT_TRUE(parsed.done) << one.text;
      EXPECT_EQ(parsed.answer.status, one.status) << one.text;
      EXPECT_EQ(parsed.answer.body, one.body) << one.text;
      EXPECT_EQ(parsed.answer.keep_alive, one.keep_alive) << one.text;
    }
  }
}

TEST(AnswerParser, LeavesWhatFollowsAlone) {
  const Parsed parsed = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500");
  EXPECT_EQ(parsed.answer.body, "ok");
  EXPECT_EQ(parsed.left, "HTTP/1.1 500");
  const Parsed head = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP", 1000, true);
  EXPECT_TRUE(head.done);
  EXPECT_EQ(head.left, "HTTP");
}

TEST(AnswerParser, HeadersAreFoundInEitherCase) {
  const Parsed parsed = parse("HTTP/1.1 200 OK\r\nETag:  \"x\" \r\nX-Empty:\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(parsed.answer.header("etag"), "\"x\"");
  EXPECT_EQ(parsed.answer.header("X-EMPTY"), "");
  EXPECT_EQ(parsed.answer.header("X"), std::nullopt);
}

TEST(AnswerParser, RefusesWhatIsNoAnswer) {
  for (const char* text : {
           "SSH-2.0-OpenSSH\r\n",
           "HTTP/2 200 OK\r\n\r\n",
           "HTTP/1.1 2x0 OK\r\n\r\n",
           "HTTP/1.1 200OK\r\n\r\n",
           "HTTP/1.1 101 Switching Protocols\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
           "HTTP/1.1 200 OK\r\nContent-Le",
       }) {
    EXPECT_NE(parse(text).error, "") << text;
  }
}

TEST(AnswerParser, NothingGrowsWithoutBound) {
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n").error, "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')).error, "");
  EXPECT_NE(
      parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n")
          .error,
      "");
  EXPECT_NE(parse("HTTP/1.1 200 OK\r\nX: " + std::string(AnswerParser::head_bytes_max, 'x') + "\r\n\r\n").error, "");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x')).error, "");
}

}  // namespace
}  // namespace armazem::cli
