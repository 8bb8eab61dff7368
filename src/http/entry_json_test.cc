// Entries as JSON: every member, every form of value, and always one line.
#include "http/entry_json.h"

#include <gtest/gtest.h>

namespace armazem::http {
namespace {

constexpr std::string_view version = "01a20aa1-2b37-7000-b98c-a39308cd9663";

Record record(std::string bytes, std::string type, ValueForm form) {
  Record record;
  record.version = Version::parse(version).value();
  record.value = {std::move(bytes), std::move(type), form};
  return record;
}

std::string entry(std::string_view key, const Record& record, EntryValue form = EntryValue::readable) {
  std::string out;
  append_entry(out, key, record, record.value.bytes.size(), form);
  return out;
}

TEST(EntryJson, TextIsAString) {
  EXPECT_EQ(entry("a \"b\"", record("Olá\n", "text/plain", ValueForm::text)),
            R"({"key":"a \"b\"","version":"01a20aa1-2b37-7000-b98c-a39308cd9663","size":5,"content_type":"text/plain",)"
            R"("value":"Olá\n"})");
}

TEST(EntryJson, BytesAreBase64) {
  EXPECT_EQ(entry("k", record("\x89PNG", "image/png", ValueForm::bytes)),
            R"({"key":"k","version":"01a20aa1-2b37-7000-b98c-a39308cd9663","size":4,"content_type":"image/png",)"
            R"("value_base64":"iVBORw=="})");
}

TEST(EntryJson, JsonStaysJsonOnOneLine) {
  EXPECT_EQ(entry("k", record("{\r\n  \"a\": \"x\\n\"\n}", "application/json", ValueForm::json)),
            R"({"key":"k","version":"01a20aa1-2b37-7000-b98c-a39308cd9663","size":17,"content_type":"application/json",)"
            R"("value":{    "a": "x\n" }})");
}

TEST(EntryJson, EverythingInBase64) {
  EXPECT_EQ(entry("k", record("{ }", "application/json", ValueForm::json), EntryValue::base64),
            R"({"key":"k","version":"01a20aa1-2b37-7000-b98c-a39308cd9663","size":3,"content_type":"application/json",)"
            R"("value_base64":"eyB9"})");
}

TEST(EntryJson, WithoutItsValueAndWithAnExpiry) {
  Record expiring = record("", "t/t", ValueForm::text);
  expiring.expires_at_ms = 1'795'475'345'412;
  std::string out = "[";
  append_entry(out, "k", expiring, 1'000'000, EntryValue::left_out);
  EXPECT_EQ(out, R"([{"key":"k","version":"01a20aa1-2b37-7000-b98c-a39308cd9663","size":1000000,"content_type":"t/t",)"
                 R"("expires_at":"2026-11-23T23:09:05.412Z"})");
}

TEST(EntryJson, AValueAloneKeepsItsLineBreaks) {
  std::string out;
  append_value_member(out, {"[1,\n2]", "application/json", ValueForm::json});
  EXPECT_EQ(out, "\"value\":[1,\n2]");
}

}  // namespace
}  // namespace armazem::http
