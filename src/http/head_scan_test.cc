// The scan of the header block: what is refused, where the limits lie, and that pieces change nothing.
#include <gtest/gtest.h>

#include "http/request_parser.h"

namespace armazem::http {
namespace {

struct Verdict {
  std::size_t skip = 0;
  std::optional<std::size_t> size;
  std::string problem;  // slug and detail

  friend bool operator==(const Verdict&, const Verdict&) = default;
};
void PrintTo(const Verdict& verdict, std::ostream* out) {
  *out << "skip " << verdict.skip << ", size " << (verdict.size ? std::to_string(*verdict.size) : "unknown") << ", "
       << verdict.problem;
}

Verdict verdict_of(const HeadScan& scan) {
  if (scan.problem) return {0, std::nullopt, std::string(info(scan.problem->type).slug) + ": " + scan.problem->detail};
  return {scan.skip, scan.size, ""};
}

Verdict scan(std::string_view bytes) {
  HeadScanProgress progress;
  return verdict_of(scan_head(bytes, progress));
}
std::string problem_of(std::string_view bytes) {
  const std::string problem = scan(bytes).problem;
  return problem.substr(0, problem.find(':'));
}

// The bytes come in pieces that end at multiples of `step`, offset by `first`.
Verdict scan_in_pieces(std::string_view bytes, std::size_t first, std::size_t step) {
  HeadScanProgress progress;
  for (std::size_t size = first;; size += step) {
    const HeadScan scan = scan_head(bytes.substr(0, size), progress);
    if (scan.size || scan.problem || size >= bytes.size()) return verdict_of(scan);
  }
}

std::string get(std::string_view target, std::string_view fields = "Host: h\r\n") {
  return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

TEST(HeadScan, FindsTheEndOfTheBlock) {
  const std::string block = get("/");
  EXPECT_EQ(scan(block), (Verdict{0, block.size(), ""}));
  EXPECT_EQ(scan(block + "body\r\n\r\nGET"), (Verdict{0, block.size(), ""})) << "what follows is not looked at";
  EXPECT_EQ(scan(std::string(block).append("\0\x01", 2)), (Verdict{0, block.size(), ""}));
  EXPECT_EQ(scan("GET / HTTP/1.1\r\n\r\n"), (Verdict{0, 18, ""}));
}

TEST(HeadScan, EveryBeginningNeedsMore) {
  const std::string block = "\r\n" + get("/path?x", "Host: h\r\nAccept:\r\nX-Tab:\ta\tb\r\nX-High: \xC3\xA9\xFF\r\n");
  for (std::size_t size = 0; size < block.size(); ++size) {
    EXPECT_EQ(scan(std::string_view(block).substr(0, size)), (Verdict{size >= 2 ? 2U : 0U, std::nullopt, ""})) << size;
  }
  EXPECT_EQ(scan(block), (Verdict{2, block.size() - 2, ""}));
}

TEST(HeadScan, OneEmptyLineInFrontIsSkippedNotTwo) {
  EXPECT_EQ(scan("\r\n" + get("/")), (Verdict{2, get("/").size(), ""}));
  EXPECT_EQ(problem_of("\r\n\r\n" + get("/")), "request-invalid");
  EXPECT_EQ(problem_of("\n" + get("/")), "request-invalid");
}

TEST(HeadScan, OtherProtocolsAreNamed) {
  EXPECT_EQ(problem_of("\x16\x03\x01\x02"), "tls-on-plain-port");
  EXPECT_EQ(problem_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "http-version-unsupported");
  EXPECT_EQ(problem_of("GET / HTTP/1.0\r\n"), "http-version-unsupported");
  EXPECT_EQ(problem_of("GET / HTTP/1.10\r\n"), "http-version-unsupported");
  EXPECT_EQ(problem_of("GET / HTTP/3\r\n"), "http-version-unsupported");
  EXPECT_EQ(problem_of("\x16\x04"), "request-invalid");
}

TEST(HeadScan, MalformedRequestLines) {
  for (const char* line : {"GET", "GET /", "GET  / HTTP/1.1", "GET / x HTTP/1.1", " GET / HTTP/1.1", "GET /  HTTP/1.1",
                           "GET / HTTP/1.1 ", "GET / http/1.1", "GET / HTTP/", "GET / HTTP/1.1x", "GET / FTP/1.1"}) {
    EXPECT_EQ(problem_of(std::string(line) + "\r\n"), "request-invalid") << line;
  }
}

TEST(HeadScan, MalformedFieldLines) {
  for (const char* line : {" Host: h", "\tHost: h", "Host : h", "Host\t: h", ": h", ":", "Host"}) {
    EXPECT_EQ(problem_of("GET / HTTP/1.1\r\nA: b\r\n" + std::string(line) + "\r\n"), "request-invalid") << line;
  }
}

TEST(HeadScan, BareLineEndsAreRefused) {
  for (const char* bytes :
       {"GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nA: b\n", "GET / HTTP/1.1\r\nA: b\r\n\n", "GET / HTTP/1.1\r\r\n",
        "GET / HTTP/1.1\r\nA: b\rc: d\r\n", "GET / HTTP/1.1\rA", "GET / HTTP/1.1\r\nA: b\r\r\n"}) {
    EXPECT_EQ(problem_of(bytes), "request-invalid") << testing::PrintToString(bytes);
  }
}

TEST(HeadScan, ControlBytesAreRefusedAtOnce) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
    if (byte == '\r' || byte == '\n') continue;  // ends of lines have their own rules
    for (const std::string begin : {"GET /", "GET / HTTP/1.1\r\nA: b", "GET / HTTP/1.1\r\nA"}) {
      EXPECT_EQ(problem_of(begin + static_cast<char>(byte)), control ? "request-invalid" : "") << byte;
    }
  }
}

// Limits ---------------------------------------------------------------------------------------------------------------

TEST(HeadScan, TheTargetIsBounded) {
  const std::string longest = "/" + std::string(target_bytes_max - 1, 'x');
  EXPECT_EQ(scan(get(longest)).size, get(longest).size());
  EXPECT_EQ(problem_of(get(longest + "x")), "uri-too-long");
}

TEST(HeadScan, ARequestLineIsNotWaitedForWithoutEnd) {
  EXPECT_EQ(problem_of("GET /" + std::string(target_bytes_max, 'x')), "") << "the version may still come";
  EXPECT_EQ(problem_of("GET /" + std::string(target_bytes_max + 100, 'x')), "uri-too-long");
  EXPECT_EQ(problem_of(std::string(target_bytes_max + 100, 'x')), "uri-too-long");
  const std::string long_method =
      std::string(100, 'M') + " /" + std::string(target_bytes_max - 1, 'x') + " HTTP/1.1\r\n\r\n";
  EXPECT_EQ(problem_of(long_method), "uri-too-long");
}

TEST(HeadScan, TheWholeBlockIsBounded) {
  const std::string frame = get("/", "A: \r\n");
  const std::string fits = get("/", "A: " + std::string(header_bytes_max - frame.size(), 'x') + "\r\n");
  ASSERT_EQ(fits.size(), header_bytes_max);
  EXPECT_EQ(scan(fits).size, header_bytes_max);
  EXPECT_EQ(scan("\r\n" + fits + "body").size, header_bytes_max) << "the empty line in front does not count";
  const std::string over = get("/", "A: " + std::string(header_bytes_max - frame.size() + 1, 'x') + "\r\n");
  EXPECT_EQ(problem_of(over), "headers-too-large");
  EXPECT_EQ(problem_of(over.substr(0, header_bytes_max)), "");
  EXPECT_EQ(problem_of(over.substr(0, header_bytes_max + 1)), "headers-too-large") << "no need to wait for its end";
}

TEST(HeadScan, TheNumberOfFieldsIsBounded) {
  std::string fields;
  for (std::size_t i = 0; i < header_fields_max; ++i) fields += "A: b\r\n";
  EXPECT_EQ(scan(get("/", fields)).size, get("/", fields).size());
  EXPECT_EQ(problem_of(get("/", fields + "A: b\r\n")), "headers-too-large");
}

TEST(HeadScan, SizeProblemsNameTheirLimit) {
  HeadScanProgress progress;
  EXPECT_EQ(scan_head(get("/" + std::string(target_bytes_max, 'x')), progress).problem->limit, target_bytes_max);
  progress = {};
  EXPECT_EQ(scan_head(get("/", "A: " + std::string(header_bytes_max, 'x') + "\r\n"), progress).problem->limit,
            header_bytes_max);
}

// Pieces ---------------------------------------------------------------------------------------------------------------

std::vector<std::string> samples() {
  const std::string good = get("/store/a%20b?raw", "Host: h\r\nAccept: */*\r\nX:\r\nY: \xC3\xA9\t \r\n");
  return {good,
          "\r\n" + good,
          good + "body \r\n\r\n \x01 more",
          "\r\n\r\n" + good,
          "\x16\x03\x01\x02\x03",
          "\x16",
          "\x16 / HTTP/1.1\r\n",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
          "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
          "GET / HTTP/1.1\nHost: h\r\n\r\n",
          "GET / HTTP/1.1\r\n folded\r\n\r\n",
          "GET / HTTP/1.1\r\nA : b\x01\r\n\r\n",
          "GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
          "GET / HTTP/1.1\r\nA: b\r\n\n",
          "GET / HTTP/1.1\r\nA: b\r\n\r",
          "GET / HTTP/1.1\r\nA: b\r\n\rX",
          "GET \x7F/ HTTP/1.1\r\n\r\n",
          "",
          "\r",
          "\r\n",
          "\n"};
}

TEST(HeadScan, EverySplitGivesTheSameAnswer) {
  for (const std::string& bytes : samples()) {
    const Verdict whole = scan(bytes);
    EXPECT_EQ(scan_in_pieces(bytes, 0, 1), whole) << testing::PrintToString(bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      EXPECT_EQ(scan_in_pieces(bytes, cut, bytes.size()), whole) << testing::PrintToString(bytes) << " cut at " << cut;
    }
  }
}

TEST(HeadScan, PiecesDoNotMoveTheLimits) {
  const std::string frame = get("/", "A: \r\n");
  std::string fields;
  for (std::size_t i = 0; i <= header_fields_max; ++i) fields += "A: b\r\n";
  const auto block_of = [&](std::size_t size) {
    return get("/", "A: " + std::string(size - frame.size(), 'x') + "\r\n");
  };
  for (const std::string& bytes :
       {get("/" + std::string(target_bytes_max - 1, 'x')), get("/" + std::string(target_bytes_max, 'x')),
        std::string(100, 'M') + " /" + std::string(target_bytes_max - 1, 'x') + " HTTP/1.1\r\n\r\n",
        "GET /" + std::string(target_bytes_max + 100, 'x') + "\x01 HTTP/1.1\r\n\r\n", get("/", fields),
        block_of(header_bytes_max), block_of(header_bytes_max + 1),
        block_of(header_bytes_max + 100).insert(header_bytes_max + 50, "\x01")}) {
    const Verdict whole = scan(bytes);
    for (const std::size_t step : {1U, 7U, 1000U, 4096U}) {
      EXPECT_EQ(scan_in_pieces(bytes, 0, step), whole) << "pieces of " << step;
    }
  }
}

}  // namespace
}  // namespace armazem::http
