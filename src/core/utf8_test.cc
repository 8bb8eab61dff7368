// is_utf8 against a decoder written in the plainest way: decode the number, then ask whether it may be written like that.
#include "core/utf8.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

namespace armazem {
namespace {

// As many bytes as the lead byte announces, whatever number comes out: overlong forms and surrogates too.
std::string encode(std::uint32_t code, int length) {
  if (length == 1) return {static_cast<char>(code)};
  std::string out;
  const std::uint32_t marker = 0xF00U >> length;  // 110…, 1110…, 11110… in the low byte
  out += static_cast<char>((marker & 0xFF) | code >> (6 * (length - 1)));
  for (int i = length - 2; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
  return out;
}

int shortest_length(std::uint32_t code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

bool may_be_written(std::uint32_t code, int length) {
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code <= 0x10FFFF && !surrogate && length == shortest_length(code);
}

int announced_length(unsigned char lead) {
  if ((lead & 0x80) == 0x00) return 1;
  if ((lead & 0xE0) == 0xC0) return 2;
  if ((lead & 0xF0) == 0xE0) return 3;
  if ((lead & 0xF8) == 0xF0) return 4;
  return 0;
}

bool naive_is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const int length = announced_length(lead);
    if (length == 0 || text.size() < static_cast<std::size_t>(length)) return false;
    std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
    for (int i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[static_cast<std::size_t>(i)]);
      if ((next & 0xC0) != 0x80) return false;
      code = code << 6 | (next & 0x3F);
    }
    if (!may_be_written(code, length)) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

std::string shown(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {digits[byte >> 4], digits[byte & 0xF], ' '};
  }
  return out;
}

TEST(Utf8, EmptyIsWellFormed) { EXPECT_TRUE(is_utf8("")); }

TEST(Utf8, EveryByteAlone) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(is_utf8(text), byte < 0x80) << shown(text);
  }
}

TEST(Utf8, EveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(is_utf8(text), naive_is_utf8(text)) << shown(text);
    }
  }
}

TEST(Utf8, EveryCodePointInItsShortestFormAndNoSurrogate) {
  for (std::uint32_t code = 0; code <= 0x10FFFF; ++code) {
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    ASSERT_EQ(is_utf8(encode(code, shortest_length(code))), !surrogate) << std::hex << code;
  }
}

TEST(Utf8, EveryOverlongForm) {
  for (int length = 2; length <= 4; ++length) {
    const std::uint32_t end = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    for (std::uint32_t code = 0; code < end; ++code) {
      ASSERT_FALSE(is_utf8(encode(code, length))) << std::hex << code << " in " << length << " bytes";
    }
  }
}

TEST(Utf8, NothingAboveTheLastCodePoint) {
  EXPECT_TRUE(is_utf8(encode(0x10FFFF, 4)));
  for (std::uint32_t code = 0x110000; code <= 0x1FFFFF; ++code) ASSERT_FALSE(is_utf8(encode(code, 4))) << std::hex << code;
}

// Unicode 15, table 3-7: one step inside and one step outside of every range of every row, in each position.
TEST(Utf8, EveryEdgeOfTheTable) {
  static constexpr unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0,
                                            0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFE, 0xFF};
  for (const unsigned char a : edges) {
    for (const unsigned char b : edges) {
      for (const unsigned char c : edges) {
        for (const unsigned char d : edges) {
          const std::string text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
          for (std::size_t size = 3; size <= 4; ++size) {
            const std::string_view part = std::string_view(text).substr(0, size);
            ASSERT_EQ(is_utf8(part), naive_is_utf8(part)) << shown(part);
          }
        }
      }
    }
  }
}

// Eight bytes are looked at together while they are ASCII: a sequence must be seen wherever it begins.
TEST(Utf8, PositionAndSurroundingsDoNotMatter) {
  for (const std::string sequence : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\x80", "\xC0\x80",
                                     "\xC3", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80", "\xF0\x9F\x98", "\xFF"}) {
    const bool good = naive_is_utf8(sequence);
    for (std::size_t before = 0; before <= 17; ++before) {
      for (std::size_t after = 0; after <= 17; ++after) {
        const std::string text = std::string(before, 'a') + sequence + std::string(after, 'z');
        ASSERT_EQ(is_utf8(text), good) << shown(text);
      }
    }
  }
}

// The text ends where readable memory ends: one byte too far ends the test program.
TEST(Utf8, LooksAtNothingBehindTheEnd) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* end = static_cast<char*>(memory) + page;
  ASSERT_EQ(mprotect(end, page, PROT_NONE), 0);
  for (const std::string text : {"a", "abcdefg", "abcdefgh", "abcdefghi", "\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F",
                                 "\xF0\x9F\x98", "abcdefg\xC3", "abcdef\xE2\x82", "abcde\xF0\x9F\x98"}) {
    char* begin = std::copy_backward(text.begin(), text.end(), end);
    EXPECT_EQ(is_utf8({begin, text.size()}), naive_is_utf8(text)) << shown(text);
  }
  EXPECT_EQ(munmap(memory, 2 * page), 0);
}

// Mostly bytes that matter, so that many of the texts are nearly or wholly well-formed.
TEST(Utf8, SampleOfLongerTexts) {
  std::mt19937_64 random(20260101);
  int well_formed = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    const auto parts = 1 + random() % 6;
    for (std::uint64_t part = 0; part < parts; ++part) {
      const auto choice = random() % 16;
      if (choice < 6) text += encode(static_cast<std::uint32_t>(random() % 0x80), 1);
      else if (choice < 14) {
        const int length = static_cast<int>(2 + random() % 3);
        text += encode(static_cast<std::uint32_t>(random() & ((std::uint64_t{1} << (5 * length + 1)) - 1)), length);
      } else text += static_cast<char>(random() & 0xFF);
    }
    if (random() % 8 == 0) text.pop_back();
    ASSERT_EQ(is_utf8(text), naive_is_utf8(text)) << shown(text);
    well_formed += naive_is_utf8(text);
  }
  EXPECT_GT(well_formed, 20'000);
  EXPECT_LT(well_formed, 180'000);
}

}  // namespace
}  // namespace armazem
