// Ranges: which bytes are meant, and what is ignored, as RFC 9110 asks.
#include "http/byte_range.h"

#include <gtest/gtest.h>

#include <string>

namespace armazem::http {
namespace {

// "first+count", "whole" or "unsatisfiable"
std::string found(std::string_view header, std::size_t size = 10) {
  const ByteRange range = find_range(header, size);
  if (range.kind == ByteRange::Kind::whole) return "whole";
  if (range.kind == ByteRange::Kind::unsatisfiable) return "unsatisfiable";
  return std::to_string(range.first) + "+" + std::to_string(range.count);
}

TEST(ByteRange, FromTo) {
  EXPECT_EQ(found("bytes=0-0"), "0+1");
  EXPECT_EQ(found("bytes=2-5"), "2+4");
  EXPECT_EQ(found("bytes=0-9"), "0+10");
  EXPECT_EQ(found("bytes=9-9"), "9+1");
  EXPECT_EQ(found("BYTES=1-1"), "1+1");
}

TEST(ByteRange, TheEndIsCut) {
  EXPECT_EQ(found("bytes=5-10"), "5+5");
  EXPECT_EQ(found("bytes=5-99999999999999999999999999"), "5+5");
  EXPECT_EQ(found("bytes=3-"), "3+7");
  EXPECT_EQ(found("bytes=0-"), "0+10");
}

TEST(ByteRange, TheLastBytes) {
  EXPECT_EQ(found("bytes=-1"), "9+1");
  EXPECT_EQ(found("bytes=-10"), "0+10");
  EXPECT_EQ(found("bytes=-11"), "0+10");
  EXPECT_EQ(found("bytes=-99999999999999999999999999"), "0+10");
}

TEST(ByteRange, BehindTheEnd) {
  EXPECT_EQ(found("bytes=10-"), "unsatisfiable");
  EXPECT_EQ(found("bytes=10-20"), "unsatisfiable");
  EXPECT_EQ(found("bytes=99999999999999999999999999-"), "unsatisfiable");
  EXPECT_EQ(found("bytes=-0"), "unsatisfiable");
  EXPECT_EQ(found("bytes=0-", 0), "unsatisfiable");
  EXPECT_EQ(found("bytes=-1", 0), "whole");
}

TEST(ByteRange, AnythingElseIsIgnored) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1-2,4-5", "bytes=1-2,", "bytes= 1-2",
                             "bytes=1 -2", "bytes=+1-2", "bytes=1-2-3", "bytes=--1", "items=0-1", "bytes:0-1", "bytes=0x1-2"}) {
    EXPECT_EQ(found(header), "whole") << header;
  }
}

}  // namespace
}  // namespace armazem::http
