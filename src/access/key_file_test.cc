// The keys file: there and back, what is refused, and how it is replaced.
#include "access/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/temp_dir.h"

namespace armazem {
namespace {

using testing::HasSubstr;

std::vector<ApiKey> two_keys() {
  std::vector<ApiKey> keys;
  keys.push_back(new_key({*Scope::parse("read,write:orders/"), *Scope::parse("read:\"ü\n")}, 1'000).key);
  keys.push_back(new_key({*Scope::parse("admin")}, 2'000).key);
  keys[1].expires_at_ms = 5'000;
  keys[1].revoked_at_ms = 4'000;
  keys[1].note = "for \"nightly\" jobs";
  return keys;
}

void expect_same(const std::vector<ApiKey>& keys, const std::vector<ApiKey>& others) {
  ASSERT_EQ(keys.size(), others.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(keys[i].id, others[i].id);
    EXPECT_EQ(keys[i].digest, others[i].digest);
    EXPECT_EQ(keys[i].note, others[i].note);
    EXPECT_EQ(keys[i].created_at_ms, others[i].created_at_ms);
    EXPECT_EQ(keys[i].expires_at_ms, others[i].expires_at_ms);
    EXPECT_EQ(keys[i].revoked_at_ms, others[i].revoked_at_ms);
    ASSERT_EQ(keys[i].scopes.size(), others[i].scopes.size());
    for (std::size_t s = 0; s < keys[i].scopes.size(); ++s)
      EXPECT_EQ(keys[i].scopes[s].text(), others[i].scopes[s].text());
  }
}

std::string refused(const std::string& text) {
  const auto parsed = parse_keys(text);
  return parsed ? "(accepted)" : parsed.error().message;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), with);
}

class KeyFileTest : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }
  test::TempDir directory_;
  const std::string path_ = directory_.sub("keys");
};

TEST(KeysText, ThereAndBack) {
  const std::vector<ApiKey> keys = two_keys();
  const std::string text = format_keys(keys);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2) << "one line a key: " << text;
  const auto parsed = parse_keys(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  expect_same(*parsed, keys);
  EXPECT_TRUE(parse_keys("")->empty());
}

TEST(KeysText, ABrokenLineIsNamed) {
  const std::string good = format_keys(two_keys());
  EXPECT_THAT(refused(good + "nonsense\n"), HasSubstr("line 3"));
  EXPECT_THAT(refused("\n[]\n"), HasSubstr("line 2"));
  EXPECT_THAT(refused(good.substr(0, good.size() - 10)), HasSubstr("line 2")) << "cut off";
  EXPECT_THAT(refused(good + good), HasSubstr("stands twice"));
  EXPECT_THAT(refused(replaced(good, "\"id\"", "\"name\"")), HasSubstr("'id' is missing"));
  EXPECT_THAT(refused(replaced(good, "\"id\":\"", "\"id\":\"x")), HasSubstr("16 hexadecimal"));
  EXPECT_THAT(refused(replaced(good, "\"sha256\":\"", "\"sha256\":\"0")), HasSubstr("64 hexadecimal"));
  EXPECT_THAT(refused(replaced(good, "read,write:", "reed:")), HasSubstr("'reed'"));
  EXPECT_THAT(refused(replaced(good, "[\"admin:\"]", "[]")), HasSubstr("1 to 32"));
  EXPECT_THAT(refused(replaced(good, "1000", "-1")), HasSubstr("milliseconds"));
  EXPECT_THAT(refused(replaced(good, "1000", "1.5")), HasSubstr("milliseconds"));
  EXPECT_THAT(refused(replaced(good, "\"id\"", "\"only_from\":\"10.0.0.1\",\"id\"")), HasSubstr("does not know"));
}

TEST_F(KeyFileTest, IsOfItsOwnerAlone) {
  ASSERT_TRUE(write_key_file(path_, two_keys()).has_value());
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0600));
  const auto read = read_key_file(path_);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->keys.size(), 2U);
  EXPECT_EQ(read->mark, *mark_of(path_));
}

TEST_F(KeyFileTest, IsReplacedAsAWholeAndLeavesNothingBehind) {
  ASSERT_TRUE(write_key_file(path_, two_keys()).has_value());
  const auto before = *mark_of(path_);
  ASSERT_TRUE(write_key_file(path_, {}).has_value());
  EXPECT_NE(mark_of(path_)->inode, before.inode) << "written into, where a reader could see half of it";
  EXPECT_TRUE(read_key_file(path_)->keys.empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
}

TEST_F(KeyFileTest, WhatOthersMayWriteIsNotBelieved) {
  write(format_keys(two_keys()));
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_THAT(read_key_file(path_).error().message, HasSubstr("written by others")) << mode;
  }
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_TRUE(read_key_file(path_).has_value()) << "digests may be read: a mounted secret often can be";
}

TEST_F(KeyFileTest, WhatCannotBeReadIsNamed) {
  EXPECT_THAT(read_key_file(path_).error().message, HasSubstr(path_));
  EXPECT_THAT(read_key_file(directory_.path().string()).error().message, HasSubstr("is no file"));
  EXPECT_THAT(write_key_file(directory_.sub("nowhere/keys"), {}).error().message, HasSubstr("nowhere/keys"));
}

TEST_F(KeyFileTest, OneChangesAtATime) {
  auto held = std::make_unique<Result<KeyFileLock>>(KeyFileLock::take(path_));
  ASSERT_TRUE(held->has_value());
  EXPECT_EQ(KeyFileLock::take(path_, std::chrono::milliseconds(30)).error().code, ErrorCode::overloaded);
  held.reset();
  EXPECT_TRUE(KeyFileLock::take(path_).has_value());
}

}  // namespace
}  // namespace armazem
