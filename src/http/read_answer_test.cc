// What an answer says about where it comes from, and how old it is.
#include "http/read_answer.h"

#include <random>

#include "http/gunzip.h"
#include "http/request_fixture.h"
#include "support/mutations.h"

namespace armazem::http {
namespace {

class ReadAnswerTest : public RequestTest {
 protected:
  Response answer(Result<ReadAnswer> found, std::string_view fields = "") {
    Response response;
    const auto admitted = admit("GET", "/store/k", fields);
    answer_read(admitted->request, std::move(found), response);
    return response;
  }
  static ReadAnswer stored() {
    Record record;
    record.value = {"x", "text/plain", ValueForm::text};
    record.version = version_;
    return {record, false, 0};
  }
  static ReadAnswer cached(ReadAnswer answer, std::uint64_t age_ms) {
    answer.from_cache = true;
    answer.age_ms = age_ms;
    return answer;
  }
  static inline const Version version_ = test::version(5, 7);
  static inline const std::string tag_ = "\"" + version_.text() + "\"";
};

TEST_F(ReadAnswerTest, FromTheStoreThereIsNoAge) {
  const Response response = answer(stored());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(header_of(response, "Armazem-Source"), "store");
  EXPECT_EQ(header_of(response, "Age"), "(none)");
}

TEST_F(ReadAnswerTest, FromTheCacheWithItsAgeInWholeSeconds) {
  EXPECT_EQ(header_of(answer(cached(stored(), 0)), "Age"), "0");
  EXPECT_EQ(header_of(answer(cached(stored(), 999)), "Age"), "0");
  const Response response = answer(cached(stored(), 12'345));
  EXPECT_EQ(header_of(response, "Armazem-Source"), "cache");
  EXPECT_EQ(header_of(response, "Age"), "12");
  EXPECT_EQ(header_of(response, "ETag"), tag_);
}

TEST_F(ReadAnswerTest, CompressedForWhoUnderstandsIt) {
  ReadAnswer long_text = stored();
  long_text.record->value.bytes = std::string(5'000, 'x');
  const std::string gzip = "Accept-Encoding: br, gzip\r\n";
  const Response json = answer(long_text, gzip);
  EXPECT_EQ(header_of(json, "Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(json.body), "{\"value\":\"" + std::string(5'000, 'x') + "\"}\n");
  EXPECT_EQ(header_of(json, "ETag"), "\"" + version_.text() + "-gzip\"") << "another representation, another tag";
  EXPECT_EQ(header_of(json, "Vary"), "Accept, Accept-Encoding");
  const Response raw = answer(long_text, gzip + "Accept: text/plain\r\n");
  EXPECT_EQ(gunzip(raw.body), std::string(5'000, 'x'));

  for (const std::string& fields : {std::string(), std::string("Accept-Encoding: gzip;q=0\r\n"), std::string("Accept-Encoding: br\r\n"),
                                    gzip + "Accept: text/plain\r\nRange: bytes=0-4000\r\n"}) {
    const Response plain = answer(long_text, fields);
    EXPECT_EQ(header_of(plain, "Content-Encoding"), "(none)") << fields;
    EXPECT_EQ(header_of(plain, "ETag"), tag_);
    EXPECT_EQ(header_of(plain, "Vary"), "Accept, Accept-Encoding");
  }
}

TEST_F(ReadAnswerTest, WhatIsNotWorthItIsNotCompressed) {
  const auto encoding = [&](std::string bytes, std::string type) {
    ReadAnswer found = stored();
    found.record->value = {std::move(bytes), std::move(type), ValueForm::text};
    return header_of(answer(found, "Accept-Encoding: gzip\r\nAccept: text/plain\r\n"), "Content-Encoding");
  };
  EXPECT_EQ(encoding(std::string(1'023, 'x'), "text/plain"), "(none)");
  EXPECT_EQ(encoding(std::string(1'024, 'x'), "text/plain"), "gzip");
  EXPECT_EQ(encoding(std::string(128 * 1024, 'x'), "text/plain"), "gzip");
  EXPECT_EQ(encoding(std::string(128 * 1024 + 1, 'x'), "text/plain"), "(none)") << "the loop would stand too long";
  for (const char* type : {"text/html; charset=utf-8", "application/json", "application/ld+json", "image/svg+xml", "application/xml",
                           "Application/JavaScript"}) {
    EXPECT_EQ(encoding(std::string(5'000, 'x'), type), "gzip") << type;
  }
  for (const char* type : {"image/png", "application/octet-stream", "application/zip", "video/mp4", "application/pdf"}) {
    EXPECT_EQ(encoding(std::string(5'000, 'x'), type), "(none)") << type;
  }
  std::mt19937 random(1);
  std::string noise(2'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_EQ(encoding(noise, "text/plain"), "(none)") << "it would not become smaller";
}

TEST_F(ReadAnswerTest, ATagOfACompressedAnswerMeansItsVersion) {
  const std::string tag = "\"" + version_.text() + "-gzip\"";
  const Response same = answer(stored(), "If-None-Match: \"x\", " + tag + "\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(header_of(same, "ETag"), tag);
  EXPECT_EQ(header_of(answer(stored(), "If-None-Match: " + tag_ + "\r\n"), "ETag"), tag_);
  EXPECT_EQ(answer(stored(), "If-Match: " + tag + "\r\n").status, 200);
  EXPECT_EQ(answer(stored(), "If-None-Match: \"" + version_.text() + "-br\"\r\n").status, 200);
}

TEST_F(ReadAnswerTest, APartOfTheBytes) {
  ReadAnswer ten = stored();
  ten.record->value.bytes = "0123456789";
  const auto raw = [&](const std::string& fields) { return answer(ten, "Accept: text/plain\r\n" + fields); };
  EXPECT_EQ(raw("").status, 200);
  EXPECT_EQ(header_of(raw(""), "Accept-Ranges"), "bytes");
  EXPECT_EQ(header_of(raw(""), "Content-Range"), "(none)");
  const Response part = raw("Range: bytes=2-4\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(header_of(part, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(header_of(part, "ETag"), tag_);
  EXPECT_EQ(raw("Range: bytes=-3\r\n").body, "789");
  EXPECT_EQ(raw("Range: bytes=0-0,2-3\r\n").status, 200) << "several at once";
  EXPECT_EQ(raw("Range: bytes=0-1\r\nRange: bytes=2-3\r\n").status, 200);
  EXPECT_EQ(raw("Range: bytes=1-2\r\nIf-Range: " + tag_ + "\r\n").status, 206);
  EXPECT_EQ(raw("Range: bytes=1-2\r\nIf-Range: W/" + tag_ + "\r\n").status, 200);
  EXPECT_EQ(raw("Range: bytes=1-2\r\nIf-Range: \"other\"\r\n").status, 200);
  EXPECT_EQ(raw("Range: bytes=1-2\r\nIf-None-Match: " + tag_ + "\r\n").status, 304);
  const Response behind = raw("Range: bytes=10-\r\n");
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(header_of(behind, "Content-Range"), "bytes */10");
  EXPECT_NE(behind.body.find("range-not-satisfiable"), behind.body.npos);
  EXPECT_EQ(answer(ten, "Range: bytes=2-4\r\n").status, 200) << "the JSON form has no parts";
}

TEST_F(ReadAnswerTest, AbsenceSaysTheSame) {
  const Response from_store = answer(ReadAnswer{});
  EXPECT_EQ(from_store.status, 404);
  EXPECT_EQ(header_of(from_store, "Armazem-Source"), "store");
  EXPECT_EQ(header_of(from_store, "Age"), "(none)");
  const Response from_cache = answer(cached(ReadAnswer{}, 2'000));
  EXPECT_EQ(from_cache.status, 404);
  EXPECT_EQ(header_of(from_cache, "Armazem-Source"), "cache");
  EXPECT_EQ(header_of(from_cache, "Age"), "2");
}

TEST_F(ReadAnswerTest, ConditionsAreDecidedByACachedRecordToo) {
  EXPECT_EQ(answer(cached(stored(), 1), "If-None-Match: " + tag_ + "\r\n").status, 304);
  EXPECT_EQ(answer(cached(stored(), 1), "If-Match: " + tag_ + "\r\n").status, 200);
  EXPECT_EQ(answer(cached(stored(), 1), "If-Match: \"other\"\r\n").status, 412);
}

TEST_F(ReadAnswerTest, NotYetVisibleMayBeTriedAgain) {
  const Response response = answer(fail(ErrorCode::not_yet_visible, "not there"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(header_of(response, "Retry-After"), "1");
  EXPECT_NE(response.body.find("problem:not-yet-visible\""), response.body.npos) << response.body;
}

}  // namespace
}  // namespace armazem::http
