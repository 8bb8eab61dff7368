#include "http/put_body.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <random>

#include "core/limits.h"

namespace armazem::http {
namespace {

namespace json = boost::json;

PutBody accepted(std::string_view text) {
  auto parsed = parse_put_body(text);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->detail << " in " << text;
    return {};
  }
  return std::get<PutBody>(std::move(parsed));
}

Problem refused(std::string_view text) {
  auto parsed = parse_put_body(text);
  if (std::holds_alternative<PutBody>(parsed)) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  return std::get<Problem>(std::move(parsed));
}
std::string_view refused_as(std::string_view text) { return info(refused(text).type).slug; }

std::string with_value(std::string_view value) { return "{\"key\":\"k\",\"value\":" + std::string(value) + "}"; }
Value value_of(std::string_view value) { return accepted(with_value(value)).value; }
std::string stored(std::string_view value) { return value_of(value).bytes; }

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']');
}

// What is kept ---------------------------------------------------------------------------------------------------------

TEST(PutBody, AStringIsText) {
  const PutBody body = accepted("{\"key\":\"a key\",\"value\":\"some text\",\"ttl\":60}");
  EXPECT_EQ(body.key, "a key");
  EXPECT_EQ(body.value, (Value{"some text", "text/plain; charset=utf-8", ValueForm::text}));
  EXPECT_EQ(body.ttl_seconds, 60);
}

TEST(PutBody, AnythingElseIsJson) {
  for (const char* text : {"{}", "[]", "null", "true", "false", "0", "[\"s\",{\"a\":[null,true,-1.5]}]"}) {
    EXPECT_EQ(value_of(text), (Value{text, "application/json", ValueForm::json}));
  }
}

TEST(PutBody, MembersMayComeInAnyOrder) {
  EXPECT_EQ(accepted("{\"value\":\"v\",\"ttl\":1,\"key\":\"k\"}").key, "k");
  EXPECT_EQ(accepted("{\"ttl\":1,\"value\":[1],\"key\":\"k\"}").value.bytes, "[1]");
}

TEST(PutBody, EmptyStringsAreValues) {
  const PutBody body = accepted("{\"key\":\"\",\"value\":\"\"}");
  EXPECT_EQ(body.key, "") << "Key::parse decides about it";
  EXPECT_EQ(body.value.bytes, "");
  EXPECT_EQ(body.ttl_seconds, std::nullopt);
}

TEST(PutBody, NumbersKeepEveryDigit) {
  for (const char* number : {"0", "-0", "1", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                             "18446744073709551615", "18446744073709551616", "123456789012345678901234567890123456789",
                             "1.10", "0.1000000000000000055511151231257827", "1e400", "1E+400", "-1e-400", "1e5",
                             "3.141592653589793238462643383279502884197169399375105820974944592"}) {
    EXPECT_EQ(stored(number), number);
    EXPECT_EQ(stored("[" + std::string(number) + ",{\"n\":" + number + "}]"),
              "[" + std::string(number) + ",{\"n\":" + number + "}]");
  }
  const std::string thousand_digits = "1" + std::string(999, '7');
  EXPECT_EQ(stored(thousand_digits), thousand_digits);
}

TEST(PutBody, OrderNestingAndRepeatedNamesInsideTheValueAreReproduced) {
  const std::string value =
      "{\"b\":1,\"a\":{\"z\":[[],{},[{\"\":null}]],\"y\":\"s\"},\"b\":2,\"key\":0,\"value\":0,\"ttl\":\"x\"}";
  EXPECT_EQ(stored(value), value);
}

TEST(PutBody, BlanksBetweenTokensAreDropped) {
  EXPECT_EQ(accepted(" \t\r\n{ \"key\" : \"k\" , \"value\" : [ 1 , { \"a b\" : \" c \" } ] } \n").value.bytes,
            "[1,{\"a b\":\" c \"}]");
}

// Strings --------------------------------------------------------------------------------------------------------------

TEST(PutBody, EscapesAreDecodedInText) {
  EXPECT_EQ(stored("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(stored("\"\\u0041\\u00e9\\u65E5\\ud83d\\uDE00\""), "Aé日😀");
  EXPECT_EQ(stored("\"a\\u0000b\""), std::string("a\0b", 3));
  EXPECT_EQ(accepted("{\"\\u006bey\":\"\\u006b\",\"value\":\"v\"}").key, "k") << "in names too";
}

TEST(PutBody, EscapesInsideJsonBecomeTheirShortestForm) {
  EXPECT_EQ(stored("[\"\\u0041\\/\\u000a\\u001f\\ud83d\\ude00\",{\"\\u0022\":1}]"),
            "[\"A/\\n\\u001f😀\",{\"\\\"\":1}]");
}

TEST(PutBody, HalvesOfSurrogatePairsAreRefused) {
  for (const char* text : {"\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83dx\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\ud83d\"",
                           "[\"\\ude00\\ud83d\"]"}) {
    EXPECT_EQ(refused_as(with_value(text)), "json-invalid") << text;
  }
}

TEST(PutBody, BrokenStringsAreRefused) {
  for (const char* text :
       {"\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"a\tb\"", "'a'", "\"\\", "\"\xFF\"", "\"\xC0\xAF\""}) {
    EXPECT_EQ(refused_as(with_value(text)), "json-invalid") << text;
  }
  EXPECT_EQ(refused_as(with_value(std::string_view("\"a\0b\"", 5))), "json-invalid");
}

// What is refused ------------------------------------------------------------------------------------------------------

TEST(PutBody, WhatIsNoJsonIsRefused) {
  for (const char* text :
       {"", " \r\n\t", "{", "}", "{\"key\":\"k\",\"value\":1,}", "{\"key\":\"k\" \"value\":1}", "{key:\"k\"}",
        "{\"key\":\"k\",\"value\":01}", "{\"key\":\"k\",\"value\":+1}", "{\"key\":\"k\",\"value\":1.}",
        "{\"key\":\"k\",\"value\":.5}", "{\"key\":\"k\",\"value\":1e}", "{\"key\":\"k\",\"value\":NaN}",
        "{\"key\":\"k\",\"value\":Infinity}", "{\"key\":\"k\",\"value\":tru}", "{\"key\":\"k\",\"value\":[1,]}",
        "{\"key\":\"k\",\"value\":1/**/}", "{\"key\":\"k\",\"value\":1}//", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(refused_as(text), "json-invalid") << text;
  }
}

TEST(PutBody, NoBeginningIsTakenForTheWhole) {
  const std::string text =
      R"({"key":"k\u00e9","value":[1.5e3,{"a":"\ud83d\ude00","b":[true,false,null,-12]}],"ttl":60})";
  (void)accepted(text);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(refused_as(std::string_view(text).substr(0, size)), "json-invalid") << size;
  }
}

TEST(PutBody, NothingMayFollow) {
  const std::string text = with_value("1");
  (void)accepted(text + " \t\r\n");
  for (const char* more : {"x", "{}", " {}", ",", "\n1", "\f"})
    EXPECT_EQ(refused_as(text + more), "json-invalid") << more;
  EXPECT_EQ(refused_as(text + std::string(1, '\0')), "json-invalid");
}

TEST(PutBody, OnlyAnObjectIsABody) {
  for (const char* text :
       {"[]", "\"s\"", "1", "1.5", "18446744073709551615", "true", "null", "[{\"key\":\"k\",\"value\":1}]"}) {
    EXPECT_EQ(refused_as(text), "body-invalid") << text;
    EXPECT_EQ(refused(text).field, std::nullopt);
  }
}

TEST(PutBody, MissingMembersAreNamed) {
  EXPECT_EQ(refused("{}").field, "key");
  EXPECT_EQ(refused("{\"value\":1}").field, "key");
  EXPECT_EQ(refused("{\"key\":\"k\"}").field, "value");
  EXPECT_EQ(refused_as("{\"key\":\"k\",\"ttl\":1}"), "body-invalid");
}

TEST(PutBody, UnknownMembersAreNamed) {
  for (const char* name : {"Key", "val", "", "ttl ", "expires"}) {
    const std::string text = "{\"key\":\"k\",\"" + std::string(name) + "\":1,\"value\":1}";
    EXPECT_EQ(refused_as(text), "body-invalid") << name;
    EXPECT_EQ(refused(text).field, name);
  }
}

TEST(PutBody, DoubledMembersAreNamed) {
  EXPECT_EQ(refused("{\"key\":\"a\",\"key\":\"b\",\"value\":1}").field, "key");
  EXPECT_EQ(refused("{\"key\":\"a\",\"k\\u0065y\":\"a\",\"value\":1}").field, "key");
  EXPECT_EQ(refused("{\"key\":\"a\",\"value\":1,\"value\":1}").field, "value");
  EXPECT_EQ(refused("{\"key\":\"a\",\"value\":1,\"ttl\":1,\"ttl\":1}").field, "ttl");
}

TEST(PutBody, AKeyMustBeAString) {
  for (const char* key : {"1", "1.5", "18446744073709551615", "null", "true", "{}", "[]", "[\"k\"]"}) {
    const Problem problem = refused("{\"key\":" + std::string(key) + ",\"value\":1}");
    EXPECT_EQ(info(problem.type).slug, "body-invalid") << key;
    EXPECT_EQ(problem.field, "key");
  }
}

TEST(PutBody, ATimeToLiveMustBeAWholeNumberWithinBounds) {
  const auto with_ttl = [](std::string_view ttl) {
    return "{\"key\":\"k\",\"value\":1,\"ttl\":" + std::string(ttl) + "}";
  };
  EXPECT_EQ(accepted(with_ttl("1")).ttl_seconds, 1);
  EXPECT_EQ(accepted(with_ttl("315360000")).ttl_seconds, limits::ttl_seconds_max);
  for (const char* ttl : {"0", "-1", "315360001", "9223372036854775808", "99999999999999999999", "1.5", "60.0", "1e2",
                          "\"60\"", "null", "true", "[]", "{}", "[60]"}) {
    const Problem problem = refused(with_ttl(ttl));
    EXPECT_EQ(info(problem.type).slug, "ttl-invalid") << ttl;
    EXPECT_EQ(problem.field, "ttl");
  }
}

TEST(PutBody, NestingIsBounded) {
  const int in_value = limits::json_depth_max - 1;  // the body itself is one level
  EXPECT_EQ(stored(nested(in_value)), nested(in_value));
  EXPECT_EQ(refused_as(with_value(nested(in_value + 1))), "json-invalid");
  EXPECT_EQ(refused_as(with_value(std::string(100'000, '['))), "json-invalid");
}

// Any document ---------------------------------------------------------------------------------------------------------

// Random JSON text with blanks and escapes where they are allowed.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : random_(seed) {}
  std::string value(int depth) {
    switch (random_() % (depth > 0 ? 7 : 5)) {
      case 0: return "null";
      case 1: return random_() % 2 == 0 ? "true" : "false";
      case 2: return std::to_string(static_cast<std::int64_t>(random_()));
      case 3:
        return std::to_string(random_() % 1000) + "." + std::to_string(random_() % 1000) + "e" +
               std::to_string(random_() % 20);
      case 4: return string();
      case 5: return sequence('[', ']', [&] { return value(depth - 1); });
      default: return sequence('{', '}', [&] { return string() + blanks() + ":" + blanks() + value(depth - 1); });
    }
  }

 private:
  template <class Element>
  std::string sequence(char open, char close, Element element) {
    std::string out = open + blanks();
    for (std::uint64_t i = random_() % 5; i > 0; --i) out += element() + blanks() + (i > 1 ? "," : "") + blanks();
    return out + close;
  }
  std::string string() {
    constexpr std::array<std::string_view, 10> pieces{
        "a", "é", "😀", "\\n", "\\\"", "\\\\", "\\u0000", "\\u00e9", "\\ud83d\\ude00", "/"};
    std::string out = "\"";
    for (std::uint64_t i = random_() % 8; i > 0; --i) out += pieces[random_() % pieces.size()];
    return out + "\"";
  }
  std::string blanks() { return std::string(random_() % 3, " \t\r\n"[random_() % 4]); }

  std::mt19937_64 random_;
};

TEST(PutBody, AnyDocumentMeansTheSameAfterwards) {
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    const std::string original = "[" + RandomJson(seed).value(6) + "]";
    const std::string kept = stored(original);
    // Serialised, because the order of members must be kept as well.
    ASSERT_EQ(json::serialize(json::parse(kept)), json::serialize(json::parse(original))) << "seed " << seed;
    ASSERT_EQ(stored(kept), kept) << "seed " << seed;
    ASSERT_TRUE(is_json(kept));
  }
}

// is_json --------------------------------------------------------------------------------------------------------------

TEST(IsJson, OneCompleteTextWithinTheDepthLimit) {
  for (const char* text : {"{}", "[]", "1", "\"s\"", "null", " \n{\"a\":[1,2.5e3]} \t", "\"é\""})
    EXPECT_TRUE(is_json(text)) << text;
  for (const char* text : {"", " ", "{", "{}{}", "1 2", "nul", "\"", "[1,]", "\"\xFF\"", "{'a':1}", "\xEF\xBB\xBF{}"}) {
    EXPECT_FALSE(is_json(text)) << text;
  }
  EXPECT_TRUE(is_json(nested(limits::json_depth_max)));
  EXPECT_FALSE(is_json(nested(limits::json_depth_max + 1)));
}

}  // namespace
}  // namespace armazem::http
