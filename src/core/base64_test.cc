// Base64 in both alphabets: what is written, and that nothing else is read.
#include "core/base64.h"

#include <gtest/gtest.h>

namespace armazem {
namespace {

std::string encode(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}
std::string encode_url(std::string_view bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

// RFC 4648, section 10.
TEST(Base64, VectorsOfTheRfc) {
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foo"), "Zm9v");
  EXPECT_EQ(encode("foob"), "Zm9vYg==");
  EXPECT_EQ(encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, TheUrlAlphabetHasNoPadding) {
  EXPECT_EQ(encode_url("\xFB\xFF\xFE"), "-__-");
  EXPECT_EQ(encode("\xFB\xFF\xFE"), "+//+");
  EXPECT_EQ(encode_url("f"), "Zg");
  EXPECT_EQ(encode_url("fo"), "Zm8");
}

TEST(Base64, AppendsBehindWhatIsThere) {
  std::string out = "x";
  append_base64(out, std::string_view("\0\0", 2));
  EXPECT_EQ(out, "xAAA=");
}

TEST(Base64, EveryLengthAndByteComesBack) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(decode_base64(encode(bytes)), bytes);
    EXPECT_EQ(decode_base64url(encode_url(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37 + 11));
  }
}

TEST(Base64, NothingElseIsRead) {
  for (const char* text : {"Zg", "Zg=", "Zm8", "Zg===", "=", "==", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9", "Zm9-", "Zm9_", "Zm9\x80",
                           "Zh==", "Zm9="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  for (const char* text : {"Z", "Zg==", "Zm8=", "Zm9vY", "Zm9+", "Zm9/", "Zh", "Zm9"}) {
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace armazem
