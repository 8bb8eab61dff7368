#include "core/version.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace armazem {
namespace {

constexpr std::uint64_t ms_max = (std::uint64_t{1} << 48) - 1;
constexpr std::uint64_t counter_max = 4095;

Tick tick(std::uint64_t ms, std::uint64_t counter) { return Tick(ms << Tick::counter_bits | counter); }

std::string_view as_chars(const Version& version) {
  return {reinterpret_cast<const char*>(version.bytes().data()), version.bytes().size()};
}

void expect_parts_survive(Tick at, OpId op) {
  const Version version = Version::make(at, op);
  EXPECT_EQ(version.tick(), at);
  EXPECT_EQ(version.ms(), at.ms());
  EXPECT_EQ(version.op(), op);
  EXPECT_EQ(Version::parse(version.text()).value(), version);
  EXPECT_EQ(Version::from_bytes(as_chars(version)).value(), version);
  EXPECT_FALSE(version.is_nil());
}

// RFC 9562, appendix A.6: the UUIDv7 example, Unix time 0x017F22E279B0, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
TEST(Version, HasTheLayoutOfTheRfcsExample) {
  const Version version = Version::make(tick(0x017F22E279B0, 0xCC3), OpId(0x18C4DC0C0C07398F));
  EXPECT_EQ(version.text(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Version, PartsSurviveBytesAndText) {
  for (const std::uint64_t ms : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 47, ms_max}) {
    for (const std::uint64_t counter : {std::uint64_t{0}, std::uint64_t{1}, counter_max}) {
      for (const std::uint64_t op : {std::uint64_t{0}, std::uint64_t{1}, OpId::mask}) {
        expect_parts_survive(tick(ms, counter), OpId(op));
      }
    }
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) expect_parts_survive(Tick(random()), OpId(random()));
}

TEST(Version, OpIdsHave62Bits) { EXPECT_EQ(OpId(~std::uint64_t{0}).bits(), (std::uint64_t{1} << 62) - 1); }

TEST(Version, NilIsOlderThanEveryOther) {
  EXPECT_TRUE(Version().is_nil());
  EXPECT_LT(Version(), Version::make(Tick(), OpId()));
  EXPECT_EQ(Version().text(), "00000000-0000-0000-0000-000000000000");
}

TEST(Version, NilIsNoTextOfAVersion) { EXPECT_FALSE(Version::parse(Version().text()).has_value()); }

TEST(Version, WriteTextWritesExactlyItsSize) {
  std::string buffer(Version::text_size + 2, '#');
  const Version version = Version::make(tick(1, 2), OpId(3));
  version.write_text(buffer.data() + 1);
  EXPECT_EQ(buffer, "#" + version.text() + "#");
}

TEST(Version, EitherCaseIsReadAndLowerCaseIsWritten) {
  const auto upper = Version::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
  ASSERT_TRUE(upper.has_value());
  EXPECT_EQ(upper->text(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Version, MalformedTextsAreRefused) {
  for (const char* text : {
           "",
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398",     // one digit short
           "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",   // one digit long
           "017f22e279b07cc398c4dc0c0c07398f",        // no dashes
           "017f22e2079b007cc3098c40dc0c0c07398f",    // digits where dashes belong
           "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",    // a dash too late
           "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",    // braces
           "\"17f22e2-79b0-7cc3-98c4-dc0c0c07398\"",  // quotes belong to the ETag, not to the version
           " 017f22e2-79b0-7cc3-98c4-dc0c0c07398",    // blank
           "017g22e2-79b0-7cc3-98c4-dc0c0c07398f",    // no hexadecimal digit
           "017/22e2-79b0-7cc3-98c4-dc0c0c07398f",    // the character before '0'
           "017:22e2-79b0-7cc3-98c4-dc0c0c07398f",    // the character after '9'
           "017@22e2-79b0-7cc3-98c4-dc0c0c07398f",    // the character before 'A'
           "017`22e2-79b0-7cc3-98c4-dc0c0c07398f",    // the character before 'a'
           "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",    // UUID version 4
           "017f22e2-79b0-0cc3-98c4-dc0c0c07398f",    // no UUID version
           "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",    // variant 0
           "017f22e2-79b0-7cc3-58c4-dc0c0c07398f",    // variant 01
           "017f22e2-79b0-7cc3-d8c4-dc0c0c07398f",    // variant 11
       }) {
    const auto parsed = Version::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument);
  }
}

// Every single character of a good text, replaced by every byte: only hexadecimal digits that keep the marks may pass.
TEST(Version, NoOtherCharacterPassesAnywhere) {
  const std::string good = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = good;
      text[i] = static_cast<char>(byte);
      std::string allowed = "0123456789abcdefABCDEF";
      if (good[i] == '-') allowed = "-";
      if (i == 14) allowed = "7";
      if (i == 19) allowed = "89abAB";
      const bool passes = allowed.find(text[i]) != std::string::npos;
      EXPECT_EQ(Version::parse(text).has_value(), passes) << testing::PrintToString(text);
    }
  }
}

TEST(Version, BytesOfAnotherLengthOrKindAreRefused) {
  const std::string good(as_chars(Version::make(tick(1, 2), OpId(3))));
  EXPECT_TRUE(Version::from_bytes(good).has_value());
  EXPECT_FALSE(Version::from_bytes("").has_value());
  EXPECT_FALSE(Version::from_bytes(good.substr(1)).has_value());
  EXPECT_FALSE(Version::from_bytes(good + '\0').has_value());
  EXPECT_FALSE(Version::from_bytes(std::string(16, '\0')).has_value());
  for (const auto& [position, byte] : {std::pair{6, '\x40'}, std::pair{8, '\x40'}, std::pair{8, '\xC0'}}) {
    std::string bad = good;
    bad[static_cast<std::size_t>(position)] = byte;
    EXPECT_FALSE(Version::from_bytes(bad).has_value()) << "byte " << position;
  }
}

TEST(Tick, AFullCounterCarriesIntoTheMilliseconds) {
  EXPECT_EQ(tick(7, counter_max).next(), tick(8, 0));
  EXPECT_EQ(tick(7, 3).next(), tick(7, 4));
  EXPECT_EQ(Tick::from_ms(7), tick(7, 0));
}

}  // namespace
}  // namespace armazem
