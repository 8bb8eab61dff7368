#include "http/percent.h"

#include <gtest/gtest.h>

namespace armazem::http {
namespace {

TEST(Percent, EveryByteSurvivesTheRoundTrip) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    EXPECT_EQ(percent_decode(percent_encode_path(one)), one) << byte;
    all += one;
  }
  EXPECT_EQ(percent_decode(percent_encode_path(all)), all);
}

TEST(Percent, EncodesToUnreservedCharactersAndSlashes) {
  EXPECT_EQ(percent_encode_path("azAZ09-._~/"), "azAZ09-._~/");
  EXPECT_EQ(percent_encode_path("a b?c#d%e+f"), "a%20b%3Fc%23d%25e%2Bf");
  EXPECT_EQ(percent_encode_path("é"), "%C3%A9");
  EXPECT_EQ(percent_encode_path(""), "");
}

TEST(Percent, DecodesExactlyOnce) {
  EXPECT_EQ(percent_decode("%2541"), "%41");
  EXPECT_EQ(percent_decode("%2F%2f"), "//");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode("é"), "é") << "bytes that should have been encoded go through";
  EXPECT_EQ(percent_decode(""), "");
}

TEST(Percent, MalformedEncodingsAreRefused) {
  for (const char* text : {"%", "a%", "%4", "a%4", "%%41", "%4G", "%G4", "% 4", "%-1", "%0x", "%u00e9"}) {
    EXPECT_EQ(percent_decode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace armazem::http
