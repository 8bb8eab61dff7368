// Every byte of the stored form, and that nothing else is taken for it.
#include "adapters/redis/entry_codec.h"

#include <gtest/gtest.h>

#include <random>

namespace armazem::redis {
namespace {

Record record() {
  Record record;
  record.version = Version::make(Tick::from_ms(0x0102030405), OpId(6));
  record.value = {"bytes", "text/plain", ValueForm::text};
  return record;
}

Entry decoded(std::string encoded) { return decode_entry(std::move(encoded)).value(); }

TEST(EntryCodec, WritesTheDocumentedBytes) {
  Record with_expiry = record();
  with_expiry.expires_at_ms = 0x1122334455667788;
  std::string encoded = encode_entry(with_expiry, 0x0A0B0C0D0E0F);
  set_epoch(encoded, 0xFF00000000000007);
  std::string expected = "E";
  expected.append(with_expiry.version.bytes().begin(), with_expiry.version.bytes().end());
  expected += std::string("\xFF\0\0\0\0\0\0\x07", 8);
  expected += std::string("\0\0\x0A\x0B\x0C\x0D\x0E\x0F", 8);
  expected += "\x06\x11\x22\x33\x44\x55\x66\x77\x88";
  expected += "\x0Atext/plainbytes";
  EXPECT_EQ(encoded, expected);

  std::string lease = encode_lease(0x0102030405060708);
  set_epoch(lease, 9);
  EXPECT_EQ(lease, std::string("L\0\0\0\0\0\0\0\x09\x01\x02\x03\x04\x05\x06\x07\x08", lease_bytes));
  EXPECT_EQ(encode_header(record().version).size(), entry_header_bytes);
}

TEST(EntryCodec, WhatWasWrittenIsReadBack) {
  for (const ValueForm form : {ValueForm::bytes, ValueForm::text, ValueForm::json}) {
    for (const std::string& bytes : {std::string(), std::string("\0\r\n", 3), std::string(100'000, 'x')}) {
      Record written = record();
      written.value = {bytes, std::string(bytes.empty() ? 0 : 255, 't'), form};
      if (!bytes.empty()) written.expires_at_ms = 5;
      const Entry entry = decoded(encode_entry(written, 77));
      EXPECT_EQ(entry.record, written);
      EXPECT_EQ(entry.stored_ms, 77U);
    }
  }
}

TEST(EntryCodec, AbsenceIsATombstone) {
  EXPECT_TRUE(decoded(encode_entry(std::nullopt, 1)).record.tombstone);
  EXPECT_TRUE(decoded(encode_entry(std::nullopt, 1)).record.version.is_nil());
  Record tombstone;
  tombstone.tombstone = true;
  tombstone.version = record().version;
  EXPECT_EQ(decoded(encode_entry(tombstone, 1)).record, tombstone);
}

TEST(EntryCodec, TheHistoryIsLeftOut) {
  Record written = record();
  written.history.push({written.version, Effect::created});
  EXPECT_TRUE(decoded(encode_entry(written, 1)).record.history.empty());
}

TEST(EntryCodec, TheHeadTellsKindAndEpoch) {
  std::string entry = encode_entry(record(), 1);
  set_epoch(entry, 12);
  EXPECT_EQ(read_head(entry).kind, Kind::entry);
  EXPECT_EQ(read_head(entry).epoch, 12U);
  std::string lease = encode_lease(1);
  set_epoch(lease, 13);
  EXPECT_EQ(read_head(lease).kind, Kind::lease);
  EXPECT_EQ(read_head(lease).epoch, 13U);
  for (const std::string& other : {std::string(), std::string("x"), std::string("L"), lease + "x", entry.substr(0, 33)}) {
    EXPECT_EQ(read_head(other).kind, Kind::unknown);
  }
}

TEST(EntryCodec, WhatIsCutOrChangedIsAnErrorOrAWholeRecord) {
  Record written = record();
  written.expires_at_ms = 5;
  const std::string encoded = encode_entry(written, 1);
  const std::size_t shortest = encoded.size() - written.value.bytes.size();
  for (std::size_t size = 0; size < shortest; ++size) {
    const auto cut = decode_entry(encoded.substr(0, size));
    ASSERT_FALSE(cut.has_value()) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::data_damaged);
  }
  std::mt19937 random(20260101);
  for (int i = 0; i < 100'000; ++i) {
    std::string changed = encoded;
    changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    const auto read = decode_entry(std::move(changed));
    ASSERT_TRUE(!read || encode_entry(read->record, read->stored_ms).size() <= encoded.size());
  }
}

}  // namespace
}  // namespace armazem::redis
