#include "http/request_parser.h"

#include <gtest/gtest.h>

namespace armazem::http {
namespace {

// Owns the block that the head points into.
struct Parsed {
  std::string block;
  RequestHead head;
  std::optional<Problem> problem;
};

Parsed parse(std::string block) {
  Parsed parsed{std::move(block), {}, {}};
  parsed.problem = parse_head(parsed.block, parsed.head);
  return parsed;
}
Parsed request(std::string_view line, std::string_view fields = "") {
  return parse(std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n");
}
Parsed with_fields(std::string_view fields) { return request("PUT /store/k HTTP/1.1", fields); }

std::string_view slug(const Parsed& parsed) { return parsed.problem ? info(parsed.problem->type).slug : "accepted"; }
std::string_view target(std::string_view line) { return request(line).problem ? "refused" : "accepted"; }

TEST(ParseHead, Methods) {
  const auto method = [](std::string_view name) { return request(std::string(name) + " / HTTP/1.1").head.method; };
  EXPECT_EQ(method("GET"), Method::get);
  EXPECT_EQ(method("HEAD"), Method::head);
  EXPECT_EQ(method("PUT"), Method::put);
  EXPECT_EQ(method("DELETE"), Method::remove);
  EXPECT_EQ(method("POST"), Method::post);
  EXPECT_EQ(method("PATCH"), Method::patch);
  EXPECT_EQ(method("OPTIONS"), Method::options);
  for (const char* name : {"TRACE", "CONNECT", "PURGE", "get", "Get", "GETS", "X"})
    EXPECT_EQ(method(name), Method::other) << name;
}

TEST(ParseHead, TargetsComeAsTheyAre) {
  for (const char* path :
       {"/", "/store/a%20b", "/store/%2F//../.", "/store/\xC3\xA9", "/store/k?raw", "/?", "/store/a\"b<>"}) {
    const Parsed parsed = request("GET " + std::string(path) + " HTTP/1.1");
    EXPECT_EQ(slug(parsed), "accepted") << path;
    EXPECT_EQ(parsed.head.target, path);
  }
}

TEST(ParseHead, TheAbsoluteFormIsCutToItsPath) {
  const auto target_of = [](std::string_view target) {
    return std::string(request("GET " + std::string(target) + " HTTP/1.1").head.target);
  };
  EXPECT_EQ(target_of("http://host:8000/store/k?raw"), "/store/k?raw");
  EXPECT_EQ(target_of("HTTPS://host/store"), "/store");
  EXPECT_EQ(target_of("http://host"), "/");
}

TEST(ParseHead, OtherTargetsAreRefused) {
  for (const char* line : {"GET * HTTP/1.1", "GET store/k HTTP/1.1", "GET ?raw HTTP/1.1", "CONNECT host:443 HTTP/1.1",
                           "GET ftp://host/x HTTP/1.1", "GET http://host?raw HTTP/1.1"}) {
    EXPECT_EQ(target(line), "refused") << line;
  }
  EXPECT_EQ(target("OPTIONS * HTTP/1.1"), "accepted");
}

// Fields ---------------------------------------------------------------------------------------------------------------

TEST(ParseHead, KnownFieldsAreFoundInAnyCase) {
  const Parsed parsed = with_fields(
      "ACCEPT: a\r\naccept-encoding: b\r\nArmazem-Min-Version: c\r\nARMAZEM-TTL: d\r\nCache-Control: e\r\n"
      "Content-Encoding: f\r\nContent-Type: g\r\nExpect: h\r\nIdempotency-Key: i\r\nIf-Match: j\r\nIf-None-Match: k\r\n"
      "Prefer: l\r\nX-Request-ID: m\r\nX-Unknown: n\r\n");
  ASSERT_EQ(slug(parsed), "accepted");
  EXPECT_EQ(parsed.head.header(Header::accept), "a");
  EXPECT_EQ(parsed.head.header(Header::accept_encoding), "b");
  EXPECT_EQ(parsed.head.header(Header::armazem_min_version), "c");
  EXPECT_EQ(parsed.head.header(Header::armazem_ttl), "d");
  EXPECT_EQ(parsed.head.header(Header::cache_control), "e");
  EXPECT_EQ(parsed.head.header(Header::content_encoding), "f");
  EXPECT_EQ(parsed.head.header(Header::content_type), "g");
  EXPECT_EQ(parsed.head.header(Header::expect), "h");
  EXPECT_EQ(parsed.head.header(Header::host), "h");
  EXPECT_EQ(parsed.head.header(Header::idempotency_key), "i");
  EXPECT_EQ(parsed.head.header(Header::if_match), "j");
  EXPECT_EQ(parsed.head.header(Header::if_none_match), "k");
  EXPECT_EQ(parsed.head.header(Header::prefer), "l");
  EXPECT_EQ(parsed.head.header(Header::x_request_id), "m");
}

TEST(ParseHead, AbsentAndEmptyAreDifferent) {
  EXPECT_EQ(with_fields("").head.header(Header::prefer), std::nullopt);
  EXPECT_EQ(with_fields("Prefer:\r\n").head.header(Header::prefer), "");
}

TEST(ParseHead, BlanksAroundAValueAreDropped) {
  EXPECT_EQ(with_fields("Prefer: \t wait=1, x \t\r\n").head.header(Header::prefer), "wait=1, x");
}

TEST(ParseHead, ListsInSeveralLinesAreJoined) {
  const Parsed parsed = with_fields("If-Match: \"a\"\r\nAccept: x\r\nIf-Match: \"b\"\r\nIF-MATCH: \"c\"\r\n");
  EXPECT_EQ(parsed.head.header(Header::if_match), "\"a\", \"b\", \"c\"");
  EXPECT_EQ(parsed.head.header(Header::accept), "x");
}

TEST(ParseHead, WhatMayComeOnceIsNotGuessed) {
  for (const char* name :
       {"Content-Type", "Host", "Expect", "Idempotency-Key", "Armazem-TTL", "Armazem-Min-Version", "X-Request-Id"}) {
    const std::string line = std::string(name) + ": a\r\n";
    EXPECT_EQ(slug(with_fields(line + line)), "request-invalid") << name;
  }
}

TEST(ParseHead, AHostIsNeeded) {
  EXPECT_EQ(slug(parse("GET / HTTP/1.1\r\n\r\n")), "request-invalid");
  EXPECT_EQ(slug(parse("GET / HTTP/1.1\r\nHost:\r\n\r\n")), "accepted") << "it may be empty";
}

TEST(ParseHead, NamesMustBeTokens) {
  for (const char* line : {"a b: c\r\n", "a(b: c\r\n", "a@b: c\r\n", "\"a\": c\r\n", "\xC3\xA9: c\r\n"}) {
    EXPECT_EQ(slug(with_fields(line)), "request-invalid") << line;
  }
}

// Framing --------------------------------------------------------------------------------------------------------------

TEST(ParseHead, ContentLength) {
  const Parsed parsed = with_fields("Content-Length: 17\r\n");
  EXPECT_EQ(parsed.head.content_length, 17U);
  EXPECT_TRUE(parsed.head.has_body());
  EXPECT_EQ(with_fields("Content-Length: 18446744073709551614\r\n").head.content_length, 18'446'744'073'709'551'614U);
  EXPECT_EQ(with_fields("").head.content_length, std::nullopt);
  for (const char* length : {"", "-1", "+1", "1 ,1", "1,1", "1 1", "0x1", "1.0", "1e3", "x", "18446744073709551616"}) {
    EXPECT_EQ(slug(with_fields("Content-Length: " + std::string(length) + "\r\n")), "request-invalid") << length;
  }
  EXPECT_EQ(slug(with_fields("Content-Length: 1\r\nContent-Length: 1\r\n")), "request-invalid");
}

TEST(ParseHead, TransferEncoding) {
  const Parsed parsed = with_fields("Transfer-Encoding: Chunked\r\n");
  ASSERT_EQ(slug(parsed), "accepted");
  EXPECT_TRUE(parsed.head.chunked && parsed.head.has_body());
  for (const char* coding : {"gzip", "gzip, chunked", "identity", "chunked, chunked", "xchunked", "chunked;a=b"}) {
    EXPECT_EQ(slug(with_fields("Transfer-Encoding: " + std::string(coding) + "\r\n")), "transfer-encoding-unsupported")
        << coding;
  }
  EXPECT_EQ(slug(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), "request-invalid");
}

TEST(ParseHead, LengthAndChunksTogetherAreRefusedInEitherOrder) {
  EXPECT_EQ(slug(with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), "request-invalid");
  EXPECT_EQ(slug(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")), "request-invalid");
  EXPECT_EQ(slug(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n")), "request-invalid");
}

TEST(ParseHead, KeepAlive) {
  EXPECT_TRUE(with_fields("").head.keep_alive);
  EXPECT_TRUE(with_fields("Connection: keep-alive\r\n").head.keep_alive);
  for (const char* value : {"close", "Close", "x, close", "keep-alive, close"}) {
    EXPECT_FALSE(with_fields("Connection: " + std::string(value) + "\r\n").head.keep_alive) << value;
  }
  EXPECT_FALSE(with_fields("Connection: x\r\nConnection: close\r\n").head.keep_alive);
}

// The head is the connection's own, used for one request after the other.
TEST(ParseHead, NothingOfTheRequestBeforeIsLeft) {
  Parsed parsed = with_fields("Content-Length: 3\r\nConnection: close\r\nIf-Match: \"a\"\r\nIf-Match: \"b\"\r\n");
  const std::string next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
  ASSERT_EQ(parse_head(next, parsed.head), std::nullopt);
  EXPECT_EQ(parsed.head.method, Method::get);
  EXPECT_EQ(parsed.head.content_length, std::nullopt);
  EXPECT_EQ(parsed.head.header(Header::if_match), std::nullopt);
  EXPECT_TRUE(parsed.head.keep_alive);
  EXPECT_EQ(parsed.head.joined, nullptr);
}

}  // namespace
}  // namespace armazem::http
