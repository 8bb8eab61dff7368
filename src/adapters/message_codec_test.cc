// The form of queued messages: nothing is lost on the way, and wrong bytes are never taken for a mutation.
#include "adapters/message_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "adapters/crc32c.h"
#include "support/messages.h"
#include "support/mutations.h"

namespace armazem::test {
namespace {

std::vector<Mutation> samples() {
  std::vector<Mutation> all = {put("k", "", 1), put("key/ ç", "value", 2, 77), remove("gone", 3),
                               expiring(put("e", std::string("\0\xFF", 2), 4), 5)};
  all.push_back(put("json", "{\"a\":[1,2]}", 6));
  all.back().value.form = ValueForm::json;
  all.back().value.content_type = "application/json";
  all.push_back(put(std::string(limits::key_bytes_max, 'k'), std::string(70'000, 'v'), 7));
  all.back().value.form = ValueForm::bytes;
  all.back().value.content_type = std::string(limits::content_type_bytes_max, 't');
  all.back().expires_at_ms = std::numeric_limits<std::uint64_t>::max();
  return all;
}

std::vector<Reply> sample_replies() {
  return {
      {version(1, 1), {Verdict::applied, Effect::created, version(1, 1), version(1, 1), false}},
      {version(2, 2), {Verdict::applied, Effect::nothing_to_delete, version(2, 9), version(3, 3), true}},
      {version(3, 3), {Verdict::condition_failed, Effect::created, {}, {}, false}},
      {version(4, 4), {Verdict::superseded, Effect::created, {}, version(9, 9), false}},
      {version(5, 5), {Verdict::indeterminate, Effect::created, {}, version(9, 9), false}},
      {version(6, 6), {Verdict::too_old, Effect::created, {}, {}, false}},
  };
}

// The body with a checksum that is right for what it says.
std::string sealed(std::string body) {
  if (body.size() < 6) return body;
  const std::uint32_t checksum = crc32c({std::string_view(body).substr(0, 2), std::string_view(body).substr(6)});
  for (std::size_t i = 0; i < 4; ++i) body[2 + i] = static_cast<char>(checksum >> (24 - 8 * i));
  return body;
}

TEST(Crc32c, TheCheckValueOfTheStandard) {
  EXPECT_EQ(crc32c({"123456789"}), 0xE3069283U);
  EXPECT_EQ(crc32c({"12", "", "3456789"}), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c({std::string(32, '\0')}), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c({std::string(32, '\xFF')}), 0x62A8AB43U);
}

TEST(MessageCodec, RoundTripOfMutations) {
  const std::vector<Mutation> all = samples();
  for (std::size_t count = 1; count <= all.size(); ++count) {
    const std::span<const Mutation> some(all.data(), count);
    const std::string body = encode_message(some);
    const auto decoded = decode_message(body);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    ASSERT_EQ(decoded->size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(same((*decoded)[i], some[i])) << i;
    EXPECT_EQ(encode_message(*decoded), body);
  }
}

TEST(MessageCodec, TheLargestMessage) {
  std::vector<Mutation> many;
  for (std::uint64_t i = 1; i <= limits::message_mutations_max; ++i) many.push_back(put("k", "v", i));
  EXPECT_EQ(decode_message(encode_message(many)).value().size(), limits::message_mutations_max);
  const std::vector<Reply> replies(replies_max, sample_replies().front());
  EXPECT_EQ(decode_replies(encode_replies(replies)).value(), replies);
}

TEST(MessageCodec, RoundTripOfReplies) {
  const std::string body = encode_replies(sample_replies());
  EXPECT_EQ(decode_replies(body).value(), sample_replies());
  EXPECT_EQ(encode_replies(decode_replies(body).value()), body);
}

// Messages outlive programs: this form must be readable for as long as there is a format 1.
TEST(MessageCodec, TheFormIsFixed) {
  const std::vector<Mutation> two = {expiring(put("k", "hi", 1), 2), remove("gone", 3)};
  const std::string expected = std::string("M\x01\x29\x72\xA7\x93\x02", 7) +  // two mutations
                               "\x06" +  // expiry, text
                               std::string("\x01\x8B\xCF\xE5\x68\x01\x70\x00\x80\0\0\0\0\0\0\x01", 16) +  // version
                               "\x01k" + "\x19text/plain; charset=utf-8" + "\x82\xD0\x95\xFF\xBC\x31" + "\x02hi" +
                               "\x01" + std::string("\x01\x8B\xCF\xE5\x68\x03\x70\x00\x80\0\0\0\0\0\0\x03", 16) +
                               "\x04gone";
  EXPECT_EQ(encode_message(two), expected);
  const std::vector<Reply> one = {{version(1, 1), {Verdict::superseded, Effect::created, {}, version(3, 3), true}}};
  const std::string reply = std::string("R\x01\x98\x93\x38\x33\x01", 7) + std::string("\x02\x14", 2) +
                            std::string("\x01\x8B\xCF\xE5\x68\x01\x70\x00\x80\0\0\0\0\0\0\x01", 16) +
                            std::string("\x01\x8B\xCF\xE5\x68\x03\x70\x00\x80\0\0\0\0\0\0\x03", 16);
  EXPECT_EQ(encode_replies(one), reply);
}

TEST(MessageCodec, EveryCutAndEveryWrongBitIsNoticed) {
  std::vector<Mutation> some = samples();
  some.pop_back();  // the large one
  for (const std::string& body : {encode_message(some), encode_replies(sample_replies())}) {
    const auto refused = [](std::string_view wrong) {
      const auto message = decode_message(wrong);
      const auto replies = decode_replies(wrong);
      return !message && message.error().code == ErrorCode::data_damaged && !replies &&
             replies.error().code == ErrorCode::data_damaged;
    };
    for (std::size_t size = 0; size < body.size(); ++size) {
      ASSERT_TRUE(refused(std::string_view(body).substr(0, size))) << "cut at " << size;
    }
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string wrong = body;
      wrong[bit / 8] ^= static_cast<char>(1U << (bit % 8));
      ASSERT_TRUE(refused(wrong)) << "bit " << bit;
    }
    EXPECT_TRUE(refused(body + '\0'));
  }
}

// With a right checksum the form alone must stand: an error, or content that has exactly this form.
TEST(MessageCodec, WrongBytesUnderARightChecksumGiveAnErrorOrTheirOwnContent) {
  std::mt19937_64 random(7);
  std::vector<Mutation> some = samples();
  some.pop_back();
  const std::string message = encode_message(some);
  const std::string replies = encode_replies(sample_replies());
  const auto broken = [&random](std::string body) {
    for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
      body[6 + random() % (body.size() - 6)] ^= static_cast<char>(1U << (random() % 8));
    }
    if (random() % 4 == 0) body.resize(6 + random() % (body.size() - 6));
    return sealed(std::move(body));
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string wrong_message = broken(message);
    const std::string wrong_replies = broken(replies);
    const auto mutations = decode_message(wrong_message);
    const auto outcomes = decode_replies(wrong_replies);
    EXPECT_TRUE(!mutations || encode_message(*mutations) == wrong_message);
    EXPECT_TRUE(!outcomes || encode_replies(*outcomes) == wrong_replies);
  }
}

TEST(MessageCodec, FormsThatWeNeverWriteAreRefused) {
  const std::vector<Mutation> one_put = {put("k", "v", 1)};
  const std::vector<Mutation> one_remove = {remove("k", 1)};
  const std::string body = encode_message(one_put);
  const auto with_byte = [](std::string bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<char>(value);
    return sealed(std::move(bytes));
  };
  ASSERT_TRUE(decode_message(with_byte(body, 7, 0x04)).has_value()) << "the helper itself must not break anything";
  EXPECT_FALSE(decode_message(with_byte(body, 0, 'R')).has_value()) << "kind";
  EXPECT_FALSE(decode_message(with_byte(body, 1, 2)).has_value()) << "format 2";
  EXPECT_FALSE(decode_message(with_byte(body, 6, 0)).has_value()) << "no mutation";
  EXPECT_FALSE(decode_message(with_byte(body, 6, 2)).has_value()) << "a mutation too few";
  EXPECT_FALSE(decode_message(with_byte(body, 7, 0x0C)).has_value()) << "value form 3";
  EXPECT_FALSE(decode_message(with_byte(body, 7, 0x14)).has_value()) << "unknown flag";
  EXPECT_FALSE(decode_message(with_byte(body, 8 + 6, 0x40)).has_value()) << "no version 7 UUID";
  EXPECT_FALSE(decode_message(with_byte(body, 25, 0)).has_value()) << "NUL in the key";
  EXPECT_FALSE(decode_message(with_byte(body, 24, 0)).has_value()) << "no key";
  EXPECT_FALSE(decode_message(sealed(body + "x")).has_value()) << "bytes behind the end";
  EXPECT_FALSE(decode_message(with_byte(encode_message(one_remove), 7, 0x05)).has_value()) << "a remove with a form";
  const std::vector<Reply> first_reply = {sample_replies().front()};
  const std::string replies = encode_replies(first_reply);
  ASSERT_TRUE(decode_replies(with_byte(replies, 7, 1)).has_value());
  EXPECT_FALSE(decode_replies(with_byte(replies, 7, 5)).has_value()) << "verdict 5";
  EXPECT_FALSE(decode_replies(with_byte(replies, 8, 0x38)).has_value()) << "unknown flag";
}

TEST(MessageCodec, TooManyMutationsAreRefused) {
  std::vector<Mutation> many;
  for (std::uint64_t i = 1; i <= limits::message_mutations_max; ++i) many.push_back(put("k", "", i));
  std::string body = encode_message(many);
  const std::vector<Mutation> one = {put("k", "", 1)};
  body.append(encode_message(one).substr(7));
  ASSERT_EQ(body.substr(6, 2), "\x80\x02");
  body[6] = static_cast<char>(0x81);  // 257
  EXPECT_FALSE(decode_message(sealed(body)).has_value());
}

TEST(MessageCodecDeathTest, AConditionNeverTravels) {
  const std::vector<Mutation> conditional = {with(put("k", "v", 1), Condition::Kind::if_absent)};
  EXPECT_DEATH((void)encode_message(conditional), "broken invariant");
  EXPECT_DEATH((void)encode_message({}), "broken invariant");
}

}  // namespace
}  // namespace armazem::test
