// Keys: their text, their digests, and what a scope covers.
#include "access/api_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace armazem {
namespace {

using testing::HasSubstr;

Scope scope(std::string_view text) {
  const Result<Scope> parsed = Scope::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Scope{};
}

ApiKey key_with(std::initializer_list<std::string_view> scopes) {
  ApiKey key;
  for (const std::string_view text : scopes) key.scopes.push_back(scope(text));
  return key;
}

std::string refused(std::string_view text) {
  const Result<Scope> parsed = Scope::parse(text);
  return parsed ? "(accepted)" : parsed.error().message;
}

TEST(Scope, TextAndBack) {
  EXPECT_EQ(scope("read").text(), "read:");
  EXPECT_EQ(scope("read:").text(), "read:");
  EXPECT_EQ(scope("delete,read,write:orders/").text(), "read,write,delete:orders/");
  EXPECT_EQ(scope("read:a:b").prefix, "a:b") << "only the first colon is ours";
  EXPECT_EQ(scope("admin").text(), "admin:");
}

TEST(Scope, WhatIsRefusedIsNamed) {
  EXPECT_THAT(refused(""), HasSubstr("''"));
  EXPECT_THAT(refused(":orders/"), HasSubstr("''"));
  EXPECT_THAT(refused("reed:x"), HasSubstr("'reed'"));
  EXPECT_THAT(refused("read,"), HasSubstr("''"));
  EXPECT_THAT(refused("read, write"), HasSubstr("' write'"));
  EXPECT_THAT(refused("READ"), HasSubstr("'READ'"));
  EXPECT_THAT(refused("read,read"), HasSubstr("twice"));
  EXPECT_THAT(refused("admin:orders/"), HasSubstr("whole server"));
  EXPECT_THAT(refused(std::string("read:\xFF")), HasSubstr("UTF-8"));
  EXPECT_THAT(refused(std::string_view("read:a\0b", 8)), HasSubstr("NUL"));
  EXPECT_THAT(refused("read:" + std::string(1025, 'x')), HasSubstr("1024"));
  EXPECT_EQ(scope("read:" + std::string(1024, 'x')).prefix.size(), 1024U);
}

TEST(ApiKey, ARightIsGoodForItsPrefixOnly) {
  const ApiKey key = key_with({"read,write:orders/", "read:public/", "delete:orders/old/"});
  EXPECT_TRUE(key.allows(Right::read, "orders/1"));
  EXPECT_TRUE(key.allows(Right::read, "orders/"));
  EXPECT_TRUE(key.allows(Right::write, "orders/1"));
  EXPECT_TRUE(key.allows(Right::read, "public/x"));
  EXPECT_TRUE(key.allows(Right::remove, "orders/old/1"));
  EXPECT_FALSE(key.allows(Right::remove, "orders/1"));
  EXPECT_FALSE(key.allows(Right::write, "public/x"));
  EXPECT_FALSE(key.allows(Right::read, "orders")) << "a whole prefix is asked for that is wider than the scope";
  EXPECT_FALSE(key.allows(Right::read, "order/1"));
  EXPECT_FALSE(key.allows(Right::read, "Orders/1"));
  EXPECT_FALSE(key.allows(Right::read, ""));
  EXPECT_FALSE(key.allows(Right::admin, "orders/1"));
}

TEST(ApiKey, NoRightHoldsAnother) {
  for (const Right given : all_rights) {
    const ApiKey key = key_with({to_string(given)});
    for (const Right asked : all_rights)
      EXPECT_EQ(key.allows(asked, "k"), asked == given) << to_string(given) << to_string(asked);
  }
}

TEST(ApiKey, ExpiresAtItsTime) {
  ApiKey key;
  EXPECT_FALSE(key.expired(~std::uint64_t{0}));
  key.expires_at_ms = 1'000;
  EXPECT_FALSE(key.expired(999));
  EXPECT_TRUE(key.expired(1'000));
}

TEST(ApiKey, ANewOneIsKeptAsADigestOnly) {
  const NewKey made = new_key({scope("read")}, 5);
  const auto halves = split_key_text(made.text);
  ASSERT_TRUE(halves.has_value());
  EXPECT_EQ(halves->id, made.key.id);
  EXPECT_EQ(digest_of(halves->secret), made.key.digest);
  EXPECT_EQ(made.key.created_at_ms, 5U);
  const NewKey other = new_key({scope("read")}, 5);
  EXPECT_NE(other.key.id, made.key.id);
  EXPECT_NE(other.key.digest, made.key.digest);
}

TEST(ApiKey, TheFormOfTheText) {
  const std::string id(16, 'a');
  const std::string secret(64, '0');
  EXPECT_TRUE(split_key_text(id + "." + secret).has_value());
  for (const std::string& text :
       {std::string(), id, id + ".", "." + secret, id + secret, id + ":" + secret, id + "." + secret + "0",
        id + "." + std::string(63, '0'), "A" + id.substr(1) + "." + secret, id + "." + std::string(64, 'g'),
        " " + id + "." + secret}) {
    EXPECT_FALSE(split_key_text(text).has_value()) << text;
  }
}

// FIPS 180-2, appendix B.1.
TEST(SecretDigest, IsSha256) {
  const SecretDigest digest = digest_of("abc");
  EXPECT_EQ(to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SecretDigest, EveryByteCounts) {
  const SecretDigest digest = digest_of("abc");
  EXPECT_TRUE(equal_in_constant_time(digest, digest_of("abc")));
  for (std::size_t i = 0; i < digest.size(); ++i) {
    SecretDigest other = digest;
    other[i] ^= 1;
    EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
  }
}

}  // namespace
}  // namespace armazem
