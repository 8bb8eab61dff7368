#include "http/chunked_body.h"

#include <gtest/gtest.h>

namespace armazem::http {
namespace {

constexpr std::size_t plenty = 1 << 20;

struct Decoded {
  std::string end = "more";  // "done", "endless", "problem" or "more"
  std::string body;
  std::size_t used = 0;      // up to the end of the body
  bool too_large = false;
};
void PrintTo(const Decoded& decoded, std::ostream* out) {
  *out << decoded.end << " after " << decoded.used << " bytes, " << (decoded.too_large ? "too large, " : "") << '"'
       << decoded.body << '"';
}
bool operator==(const Decoded& a, const Decoded& b) {
  const bool refused = a.end == "problem" || a.end == "endless";
  // What a refused body has given so far depends on the pieces, and nobody looks at it.
  return a.end == b.end && (refused || (a.body == b.body && a.used == b.used && a.too_large == b.too_large));
}

struct Limits {
  std::size_t keep = plenty;
  std::size_t read = plenty;
};

// As the connection does it: what was not used is presented again, with more behind it.
Decoded decode_in_pieces(std::string_view bytes, std::size_t first, std::size_t step, Limits limits = {}) {
  ChunkedBody chunks(limits.keep, limits.read);
  Decoded decoded;
  for (std::size_t size = first;; size += step) {
    const std::string piece(bytes.substr(
        decoded.used, std::max(size, decoded.used) - decoded.used));  // of its own, so that a sanitizer sees its end
    const ChunkedBody::Progress progress = chunks.feed(piece, decoded.body);
    decoded.used += progress.used;
    decoded.too_large = chunks.too_large();
    if (progress.done) decoded.end = "done";
    if (progress.endless) decoded.end = "endless";
    if (progress.problem) decoded.end = "problem";
    if (decoded.end != "more" || size >= bytes.size()) return decoded;
  }
}
Decoded decode(std::string_view bytes, Limits limits = {}) { return decode_in_pieces(bytes, bytes.size(), 1, limits); }

TEST(ChunkedBody, JoinsItsChunks) {
  const std::string bytes = "3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n";
  const Decoded decoded = decode(bytes);
  EXPECT_EQ(decoded.end, "done");
  EXPECT_EQ(decoded.body, "abc0123456789");
  EXPECT_EQ(decoded.used, bytes.size());
  EXPECT_FALSE(decoded.too_large);
}

TEST(ChunkedBody, MayBeEmpty) {
  EXPECT_EQ(decode("0\r\n\r\n").end, "done");
  EXPECT_EQ(decode("000\r\n\r\n").body, "");
}

TEST(ChunkedBody, LeavesTheNextRequestAlone) {
  const std::string bytes = "1\r\nx\r\n0\r\n\r\n";
  EXPECT_EQ(decode(bytes + "GET / HTTP/1.1\r\n\r\n").used, bytes.size());
  EXPECT_EQ(decode(bytes + std::string(plenty, '\n')).used, bytes.size());
}

TEST(ChunkedBody, IsAppendedToWhatIsThere) {
  ChunkedBody chunks(plenty, plenty);
  std::string body = "before ";
  EXPECT_TRUE(chunks.feed("1\r\nx\r\n0\r\n\r\n", body).done);
  EXPECT_EQ(body, "before x");
}

TEST(ChunkedBody, ExtensionsAndTrailersAreDropped) {
  const Decoded decoded = decode("1;name=value;b=\"c d\"\r\nx\r\n0;last\r\nTrailer: 1\r\nDigest: 7\r\n\r\n");
  EXPECT_EQ(decoded.end, "done");
  EXPECT_EQ(decoded.body, "x");
}

// RFC 9110, section 6.5.1: nothing that frames a message may come in its trailers.
TEST(ChunkedBody, ALengthInTheTrailersIsRefused) { EXPECT_EQ(decode("0\r\nContent-Length: 7\r\n\r\n").end, "problem"); }

TEST(ChunkedBody, AnyByteMayBeInAChunk) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(decode("100\r\n" + all + "\r\n0\r\n\r\n").body, all);
}

TEST(ChunkedBody, MalformedOnesAreRefused) {
  for (const char* bytes : {"x\r\n",
                            "\r\n",
                            " 1\r\nx\r\n",
                            "1 \r\nx\r\n",
                            "-1\r\nx\r\n",
                            "+1\r\nx\r\n",
                            "0x1\r\nx\r\n\r\n",
                            "1g\r\nx\r\n",
                            "1\nx\r\n0\r\n\r\n",
                            "1\r\nx\n0\r\n\r\n",
                            "1\r\nxy\r\n0\r\n\r\n",
                            "1\r\nx0\r\n\r\n",
                            "1\r\nx\r0\r\n\r\n",
                            "0\r\nbad trailer\r\n\r\n",
                            "0\r\nA: b\nC: d\r\n\r\n",
                            "0\r\n\n\r\n",
                            "1;a\nb\r\nx\r\n0\r\n\r\n",
                            "0\r\nA: b\r\n\n",
                            "0;a\n\r\n\r\n",
                            "0 \r\n\r\n",
                            "00g\r\n\r\n"}) {
    EXPECT_EQ(decode(bytes).end, "problem") << testing::PrintToString(bytes);
  }
}

TEST(ChunkedBody, NumbersThatOverflowAreRefused) {
  for (const char* bytes : {"10000000000000000\r\n", "FFFFFFFFFFFFFFFFF\r\n", "ffffffffffffffffffffffffffffffff\r\n"}) {
    EXPECT_NE(decode(bytes).end, "more") << bytes;
    EXPECT_NE(decode(bytes).end, "done") << bytes;
  }
}

// Beast has an assertion against it, so that a build without NDEBUG ended here.
TEST(ChunkedBody, ALoneLastChunkMayTrickleIn) {
  EXPECT_EQ(decode_in_pieces("0\r\n\r\n", 0, 1).end, "done");
  EXPECT_EQ(decode_in_pieces("0\r\n\r\n", 3, 1).used, 5U);
}

// Limits ---------------------------------------------------------------------------------------------------------------

TEST(ChunkedBody, WhatMayBeKeptIsBounded) {
  const Decoded fits = decode("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", {5, plenty});
  EXPECT_EQ(fits.body, "abcde");
  EXPECT_FALSE(fits.too_large);
  const Decoded over = decode("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", {5, plenty});
  EXPECT_EQ(over.end, "done") << "it is read on, so that the connection can be used again";
  EXPECT_EQ(over.body, "");
  EXPECT_TRUE(over.too_large);
}

TEST(ChunkedBody, NothingIsKeptWhenNothingIsWanted) {
  const Decoded decoded = decode("3\r\nabc\r\n0\r\n\r\n", {0, plenty});
  EXPECT_EQ(decoded.end, "done");
  EXPECT_EQ(decoded.body, "");
}

TEST(ChunkedBody, WhatIsReadIsBounded) {
  EXPECT_EQ(decode("5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n", {10, 10}).end, "done");
  EXPECT_EQ(decode("5\r\nabcde\r\n6\r\n", {10, 10}).end, "endless") << "refused before the bytes come";
  EXPECT_EQ(decode("FFFFFFFFFFFFFFFF\r\n", {10, 10}).end, "endless");
  EXPECT_EQ(decode("1\r\nx\r\nFFFFFFFFFFFFFFFF\r\n", {10, 10}).end, "endless");
}

TEST(ChunkedBody, ExtensionsAreBoundedOverTheWholeBody) {
  const auto chunk = [](std::size_t extension_bytes) {
    return "1;" + std::string(extension_bytes - 1, 'e') + "\r\nx\r\n";
  };
  const std::string end = "0\r\n\r\n";
  EXPECT_EQ(decode(chunk(chunk_extension_bytes_max) + end).end, "done");
  EXPECT_EQ(decode(chunk(chunk_extension_bytes_max + 1) + end).end, "problem");
  EXPECT_EQ(decode(chunk(chunk_extension_bytes_max / 2) + chunk(chunk_extension_bytes_max / 2) + end).end, "done");
  EXPECT_EQ(decode(chunk(chunk_extension_bytes_max / 2) + chunk(chunk_extension_bytes_max / 2 + 1) + end).end,
            "problem");
}

TEST(ChunkedBody, LinesAreNotWaitedForWithoutEnd) {
  for (const std::string begin : {"", "1", "1;", "1;a=\"", "0\r\n", "0\r\nA: ", "1\r\nx\r\n0\r\nA: b\r\n"}) {
    const std::string filler = begin.empty() || begin == "1" ? "0" : "x";
    std::string bytes = begin;
    while (bytes.size() <= trailer_bytes_max + begin.size() + 16) bytes += filler;
    for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{1000}}) {
      EXPECT_EQ(decode_in_pieces(bytes, 0, step).end, "problem") << begin << " in pieces of " << step;
    }
  }
}

TEST(ChunkedBody, TrailersAreBoundedInHoweverManyPieces) {
  for (const std::size_t size : {trailer_bytes_max / 2, trailer_bytes_max * 2}) {
    std::string bytes = "0\r\n";
    while (bytes.size() < size) bytes += "A: b\r\n";
    bytes += "\r\n";
    const std::string expected = size < trailer_bytes_max ? "done" : "problem";
    for (const std::size_t step : {bytes.size(), std::size_t{1}, std::size_t{1000}}) {
      EXPECT_EQ(decode_in_pieces(bytes, 0, step).end, expected) << size << " bytes in pieces of " << step;
    }
  }
}

// Pieces ---------------------------------------------------------------------------------------------------------------

TEST(ChunkedBody, EverySplitGivesTheSame) {
  for (const std::string bytes :
       {"3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
        "1;name=value\r\nx\r\n0;last\r\nTrailer: 1\r\nB: 2\r\n\r\nGET / HTTP/1.1\r\n\r\n", "0\r\n\r\n0\r\n\r\n",
        "3\r\nab", "1\nx\r\n0\r\n\r\n", "1\r\nx\n0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n", "0\r\nbad trailer\r\n\r\n",
        "0\r\nA: b\nC: d\r\n\r\n", "0\r\n\n\r\n", "1;a\nb\r\nx\r\n0\r\n\r\n", "0\r\nA: b\r\n\n",
        "1\r\nx\r\n0\r\n\r\r\n", "1 \r\nx\r\n", "5\r\n\r\n\r\n\n\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\n", "1\rx\n"}) {
    const Decoded whole = decode(bytes);
    EXPECT_EQ(decode_in_pieces(bytes, 0, 1), whole) << testing::PrintToString(bytes);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      EXPECT_EQ(decode_in_pieces(bytes, cut, bytes.size()), whole)
          << testing::PrintToString(bytes) << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace armazem::http
