// The ring: who is known, and what a reload changes.
#include "access/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"

namespace armazem {
namespace {

using Verdict = KeyRing::Verdict;

class KeyRingTest : public testing::Test {
 protected:
  KeyRingTest() : made_(new_key({*Scope::parse("read")}, 0)) { write({made_.key}); }

  void write(const std::vector<ApiKey>& keys) { ASSERT_TRUE(write_key_file(path_, keys).has_value()); }
  void open() {
    auto ring = KeyRing::open(path_);
    ASSERT_TRUE(ring.has_value()) << ring.error().message;
    ring_ = std::move(*ring);
  }
  Verdict ask(std::string_view text, std::uint64_t now = 0) { return ring_->find(*split_key_text(text), now).verdict; }

  test::TempDir directory_;
  const std::string path_ = directory_.sub("keys");
  NewKey made_;
  std::unique_ptr<KeyRing> ring_;
};

TEST_F(KeyRingTest, TheRightSecretOnly) {
  open();
  EXPECT_EQ(ask(made_.text), Verdict::accepted);
  EXPECT_TRUE(ring_->knows(made_.key.id));
  std::string wrong = made_.text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  EXPECT_EQ(ask(wrong), Verdict::unknown);
  const NewKey other = new_key({*Scope::parse("read")}, 0);
  EXPECT_EQ(ask(other.text), Verdict::unknown);
  EXPECT_FALSE(ring_->knows(other.key.id));
  EXPECT_EQ(ask(made_.key.id + other.text.substr(key_id_chars)), Verdict::unknown) << "another key's secret";
}

TEST_F(KeyRingTest, OfAnExpiredOrRevokedKeyOnlyItsHolderIsTold) {
  made_.key.expires_at_ms = 1'000;
  write({made_.key});
  open();
  EXPECT_EQ(ask(made_.text, 999), Verdict::accepted);
  EXPECT_EQ(ask(made_.text, 1'000), Verdict::expired);
  EXPECT_EQ(ask(made_.key.id + "." + std::string(key_secret_chars, '0'), 1'000), Verdict::unknown);
  made_.key.revoked_at_ms = 1;
  write({made_.key});
  ASSERT_TRUE(ring_->reload().has_value());
  EXPECT_EQ(ask(made_.text, 999), Verdict::revoked);
}

TEST_F(KeyRingTest, AChangedFileIsReadAndAnUnchangedOneIsNot) {
  open();
  EXPECT_FALSE(*ring_->reload_if_changed());
  write({});
  EXPECT_TRUE(*ring_->reload_if_changed());
  EXPECT_EQ(ask(made_.text), Verdict::unknown);
  EXPECT_FALSE(*ring_->reload_if_changed());
  EXPECT_EQ(ring_->figures().keys, 0U);
  EXPECT_EQ(ring_->figures().reloads, 1U);
}

TEST_F(KeyRingTest, ABrokenFileKeepsTheOldKeysUntilItIsMended) {
  open();
  std::ofstream(path_) << "{broken\n";
  EXPECT_EQ(ring_->reload_if_changed().error().code, ErrorCode::data_damaged);
  EXPECT_EQ(ask(made_.text), Verdict::accepted);
  EXPECT_TRUE(ring_->figures().broken);
  EXPECT_EQ(ring_->figures().failures, 1U);
  EXPECT_FALSE(*ring_->reload_if_changed()) << "said once, not every second";
  std::filesystem::remove(path_);
  EXPECT_FALSE(ring_->reload_if_changed().has_value()) << "and once that it is gone";
  EXPECT_FALSE(*ring_->reload_if_changed());
  EXPECT_EQ(ask(made_.text), Verdict::accepted);
  write({});
  EXPECT_TRUE(*ring_->reload_if_changed());
  EXPECT_FALSE(ring_->figures().broken);
  EXPECT_EQ(ask(made_.text), Verdict::unknown);
}

TEST_F(KeyRingTest, WhatLivesLongIsAskedAgain) {
  open();
  const auto held = ring_->find(*split_key_text(made_.text), 0).key;
  ASSERT_NE(held, nullptr);
  EXPECT_NE(ring_->renew(*held, 0), nullptr);
  const auto after = [&](ApiKey changed, std::uint64_t now) {
    write({std::move(changed)});
    EXPECT_TRUE(ring_->reload().has_value());
    return ring_->renew(*held, now);
  };
  ApiKey changed = made_.key;
  changed.scopes = {*Scope::parse("read:narrow/")};
  ASSERT_NE(after(changed, 0), nullptr);
  EXPECT_FALSE(ring_->renew(*held, 0)->allows(Right::read, "wide")) << "with the rights of now";
  changed.expires_at_ms = 10;
  EXPECT_EQ(after(changed, 10), nullptr);
  changed = made_.key;
  changed.revoked_at_ms = 1;
  EXPECT_EQ(after(changed, 0), nullptr);
  changed = made_.key;
  changed.digest[0] ^= 1;
  EXPECT_EQ(after(changed, 0), nullptr);
  changed.id = std::string(16, 'f');
  EXPECT_EQ(after(changed, 0), nullptr);
}

TEST_F(KeyRingTest, MustBeUsableAtTheStart) {
  std::filesystem::remove(path_);
  EXPECT_FALSE(KeyRing::open(path_).has_value());
  std::ofstream(path_) << "{broken\n";
  EXPECT_FALSE(KeyRing::open(path_).has_value());
}

}  // namespace
}  // namespace armazem
