// The body of a batch: what each operation may say, and that everything else is refused by its place.
#include "http/batch_body.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace armazem::http {
namespace {

using Kind = BatchOperation::Kind;
constexpr std::size_t value_max = 100;
constexpr std::string_view version = "01a20aa1-2b37-7000-b98c-a39308cd9663";

std::string body(std::string_view operations) { return "{\"operations\":[" + std::string(operations) + "]}"; }

std::vector<BatchOperation> accepted(std::string_view operations) {
  auto parsed = parse_batch_body(body(operations), value_max);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    ADD_FAILURE() << problem->detail << " in " << operations;
    return {};
  }
  return std::get<std::vector<BatchOperation>>(std::move(parsed));
}
BatchOperation only(std::string_view operation) {
  auto operations = accepted(operation);
  return operations.size() == 1 ? std::move(operations.front()) : BatchOperation{};
}

Problem refused_text(std::string_view text) {
  auto parsed = parse_batch_body(text, value_max);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  ADD_FAILURE() << "accepted: " << text;
  return {};
}
// "slug field"
std::string refused(std::string_view operations) {
  const Problem problem = refused_text(body(operations));
  return std::string(info(problem.type).slug) + " " + problem.field.value_or("");
}

TEST(BatchBody, NoOperations) { EXPECT_TRUE(accepted("").empty()); }

TEST(BatchBody, EveryKindInOrder) {
  const auto operations = accepted(R"({"op":"put","key":"a","value":"x"}, {"op":"get","key":"b"},{"op":"delete","key":"a"},
      {"op":"restore","key":"c","value":1,"version":"01a20aa1-2b37-7000-b98c-a39308cd9663"})");
  ASSERT_EQ(operations.size(), 4U);
  EXPECT_EQ(operations[0].kind, Kind::put);
  EXPECT_EQ(operations[0].key->text(), "a");
  EXPECT_EQ(operations[0].value, (Value{"x", "text/plain; charset=utf-8", ValueForm::text}));
  EXPECT_EQ(operations[0].ttl_seconds, 0);
  EXPECT_EQ(operations[0].condition, Condition{});
  EXPECT_EQ(operations[1].kind, Kind::get);
  EXPECT_EQ(operations[1].key->text(), "b");
  EXPECT_EQ(operations[2].kind, Kind::remove);
  EXPECT_EQ(operations[3].kind, Kind::restore);
  EXPECT_EQ(operations[3].version.text(), version);
  EXPECT_EQ(operations[3].expires_at_ms, std::nullopt);
}

TEST(BatchBody, MembersInAnyOrder) {
  const BatchOperation operation = only(R"({"ttl":60,"value":"x","key":"k","op":"put"})");
  EXPECT_EQ(operation.kind, Kind::put);
  EXPECT_EQ(operation.ttl_seconds, 60);
}

TEST(BatchBody, Values) {
  const auto value = [](std::string_view members) { return only("{\"op\":\"put\",\"key\":\"k\"," + std::string(members) + "}").value; };
  EXPECT_EQ(value(R"("value":{"a": [1, 2.50, "x", null], "b": {}})"),
            (Value{R"({"a":[1,2.50,"x",null],"b":{}})", "application/json", ValueForm::json}));
  EXPECT_EQ(value(R"("value":null)"), (Value{"null", "application/json", ValueForm::json}));
  EXPECT_EQ(value(R"("value":[])"), (Value{"[]", "application/json", ValueForm::json}));
  EXPECT_EQ(value(R"("value":"<p>","content_type":"text/html")"), (Value{"<p>", "text/html", ValueForm::text}));
  EXPECT_EQ(value(R"("value":{"a":1},"content_type":"application/ld+json")"), (Value{R"({"a":1})", "application/ld+json", ValueForm::json}));
  EXPECT_EQ(value(R"("value_base64":"iVBORw==")"), (Value{"\x89PNG", "application/octet-stream", ValueForm::bytes}));
  EXPECT_EQ(value(R"("value_base64":"eyB9","content_type":"application/json")"), (Value{"{ }", "application/json", ValueForm::json}));
  EXPECT_EQ(value(R"("value_base64":"")"), (Value{"", "application/octet-stream", ValueForm::text}));
}

// Two values after each other: nothing of the first may be left in the second.
TEST(BatchBody, ValuesDoNotMix) {
  const auto operations = accepted(R"({"op":"put","key":"a","value":[1,2]},{"op":"put","key":"b","value":[3]},{"op":"put","key":"c","value":4})");
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(operations[0].value.bytes, "[1,2]");
  EXPECT_EQ(operations[1].value.bytes, "[3]");
  EXPECT_EQ(operations[2].value.bytes, "4");
}

TEST(BatchBody, Conditions) {
  const auto condition = [](std::string_view members) {
    return only("{\"op\":\"put\",\"key\":\"k\",\"value\":1," + std::string(members) + "}").condition;
  };
  const Version wanted = Version::parse(version).value();
  EXPECT_EQ(condition(R"("if_none_match":"*")"), (Condition{Condition::Kind::if_absent, {}}));
  EXPECT_EQ(condition(R"("if_match":"*")"), (Condition{Condition::Kind::if_present, {}}));
  EXPECT_EQ(condition(R"("if_match":"01a20aa1-2b37-7000-b98c-a39308cd9663")"), (Condition{Condition::Kind::if_version, wanted}));
  EXPECT_EQ(condition(R"("if_match":"\"01a20aa1-2b37-7000-b98c-a39308cd9663\"")"), (Condition{Condition::Kind::if_version, wanted}));
  EXPECT_EQ(only(R"({"op":"delete","key":"k","if_match":"*"})").condition.kind, Condition::Kind::if_present);
}

TEST(BatchBody, Restores) {
  const auto restored = [](std::string_view members) {
    return only("{\"op\":\"restore\",\"key\":\"k\",\"version\":\"" + std::string(version) + "\"," + std::string(members) + "}");
  };
  EXPECT_EQ(restored(R"("value":"x","expires_at":"2026-11-23T21:00:00.123Z")").expires_at_ms, 1'795'467'600'123U);
  EXPECT_EQ(restored(R"("value":"[1]","content_type":"text/plain","form":"json")").value.form, ValueForm::json);
  EXPECT_EQ(restored(R"("value":"x","form":"bytes")").value.form, ValueForm::bytes);
  EXPECT_EQ(restored(R"("value":[1],"form":"text")").value.form, ValueForm::text);
}

TEST(BatchBody, TheOperationIsNamed) {
  const Problem problem = refused_text(body(R"({"op":"get","key":"a"},{"op":"put","key":"b"})"));
  EXPECT_EQ(problem.type, ProblemType::body_invalid);
  EXPECT_EQ(problem.field, "operations[1].value");
  EXPECT_EQ(problem.detail, R"(operations[1]: exactly one of "value" and "value_base64" is needed)");
}

TEST(BatchBody, MembersThatAreMissingOrTooMany) {
  EXPECT_EQ(refused(R"({})"), "body-invalid operations[0].op");
  EXPECT_EQ(refused(R"({"key":"k"})"), "body-invalid operations[0].op");
  EXPECT_EQ(refused(R"({"op":"PUT","key":"k"})"), "body-invalid operations[0].op");
  EXPECT_EQ(refused(R"({"op":"get"})"), "body-invalid operations[0].key");
  EXPECT_EQ(refused(R"({"op":"get","key":"k","value":1})"), "body-invalid operations[0].value");
  EXPECT_EQ(refused(R"({"op":"get","key":"k","if_match":"*"})"), "body-invalid operations[0].if_match");
  EXPECT_EQ(refused(R"({"op":"delete","key":"k","ttl":1})"), "body-invalid operations[0].ttl");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"version":"x"})"), "body-invalid operations[0].version");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"value_base64":""})"), "body-invalid operations[0].value");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"val":1})"), "body-invalid operations[0].val");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","key":"k","value":1})"), "body-invalid operations[0].key");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"value":2})"), "body-invalid operations[0].value");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"ttl":1,"ttl":1})"), "body-invalid operations[0].ttl");
  EXPECT_EQ(refused(R"({"op":"restore","key":"k","value":1})"), "body-invalid operations[0].version");
}

TEST(BatchBody, MembersOfTheWrongKind) {
  for (const char* wrong : {"1", "1.5", "true", "null", "{}", "[]", "18446744073709551615"}) {
    EXPECT_EQ(refused(R"({"op":"get","key":)" + std::string(wrong) + "}"), "body-invalid operations[0].key") << wrong;
    EXPECT_EQ(refused(R"({"op":)" + std::string(wrong) + "}"), "body-invalid operations[0].op") << wrong;
  }
  for (const char* ttl : {"0", "-1", "1.0", "\"60\"", "true", "null", "{}", "[]", "315360001", "1e3"}) {
    EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"ttl":)" + std::string(ttl) + "}"), "ttl-invalid operations[0].ttl") << ttl;
  }
  EXPECT_EQ(refused(R"({"op":"get","key":""})"), "key-invalid operations[0].key");
  EXPECT_EQ(refused(R"({"op":"get","key":"a\u0000"})"), "key-invalid operations[0].key");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"content_type":"text"})"), "body-invalid operations[0].content_type");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value_base64":"x"})"), "body-invalid operations[0].value_base64");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"if_match":"x"})"), "etag-invalid operations[0].if_match");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"if_match":""})"), "etag-invalid operations[0].if_match");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"if_none_match":"x"})"), "etag-invalid operations[0].if_none_match");
  EXPECT_EQ(refused(R"({"op":"put","key":"k","value":1,"if_none_match":"*","if_match":"*"})"), "etag-invalid operations[0].if_none_match");
  EXPECT_EQ(refused(R"({"op":"restore","key":"k","value":1,"version":"x"})"), "version-invalid operations[0].version");
  const std::string restore = R"({"op":"restore","key":"k","version":")" + std::string(version) + "\",";
  EXPECT_EQ(refused(restore + R"("value":1,"expires_at":"tomorrow"})"), "body-invalid operations[0].expires_at");
  EXPECT_EQ(refused(restore + R"("value":"x","form":"json"})"), "body-invalid operations[0].form");
  EXPECT_EQ(refused(restore + R"("value_base64":"/w==","form":"text"})"), "body-invalid operations[0].form");
  EXPECT_EQ(refused(restore + R"("value":"x","form":"xml"})"), "body-invalid operations[0].form");
}

TEST(BatchBody, WhatIsNoBatch) {
  const auto slug = [](std::string_view text) { return std::string(info(refused_text(text).type).slug); };
  for (const char* text : {"", " ", "{", "{\"operations\":[}", "{\"operations\":[]}x", "\xFF"}) EXPECT_EQ(slug(text), "json-invalid") << text;
  for (const char* text : {"[]", "1", "\"x\"", "null", "{}", "{\"operations\":1}", "{\"operations\":{}}", "{\"operations\":\"x\"}",
                           "{\"operations\":null}", "{\"ops\":[]}", "{\"operations\":[],\"operations\":[]}", "{\"operations\":[],\"x\":1}",
                           "{\"operations\":[1]}", "{\"operations\":[[]]}", "{\"operations\":[\"x\"]}", "{\"operations\":[true]}"}) {
    EXPECT_EQ(slug(text), "body-invalid") << text;
  }
}

TEST(BatchBody, Bounds) {
  std::string most;
  for (std::size_t i = 0; i < limits::batch_operations_max; ++i) most += R"({"op":"get","key":"k"},)";
  most.pop_back();
  EXPECT_EQ(accepted(most).size(), limits::batch_operations_max);
  const Problem problem = refused_text(body(most + R"(,{"op":"get","key":"k"})"));
  EXPECT_EQ(problem.type, ProblemType::batch_too_large);
  EXPECT_EQ(problem.limit, limits::batch_operations_max);

  const std::string large(value_max, 'x');
  EXPECT_EQ(only(R"({"op":"put","key":"k","value":")" + large + "\"}").value.bytes, large);
  const Problem too_large = refused_text(body(R"({"op":"put","key":"k","value":")" + large + "x\"}"));
  EXPECT_EQ(too_large.type, ProblemType::value_too_large);
  EXPECT_EQ(too_large.limit, value_max);
  EXPECT_EQ(too_large.size, value_max + 1);
  EXPECT_EQ(too_large.field, "operations[0].value");
}

TEST(BatchBody, ValuesMayBeAsDeepAsAlone) {
  const auto nested = [](int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return R"({"op":"put","key":"k","value":)" + std::string(count, '[') + std::string(count, ']') + "}";
  };
  EXPECT_EQ(only(nested(limits::json_depth_max)).value.form, ValueForm::json);
  EXPECT_EQ(refused(nested(limits::json_depth_max + 1)), "json-invalid ");
}

}  // namespace
}  // namespace armazem::http
