// The stored form of records: nothing is lost on the way, and wrong bytes are never taken for a record.
#include "adapters/rocksdb/record_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "core/apply.h"
#include "support/mutations.h"

namespace armazem::test {
namespace {

using rocks::decode;
using rocks::decode_head;
using rocks::encode_head;

std::string encode(const Record& record) { return encode_head(record) + record.value.bytes; }

Record record_after(std::vector<Mutation> mutations) {
  std::optional<Record> record;
  for (Mutation& mutation : mutations) (void)armazem::apply(record, std::move(mutation), {});
  return std::move(*record);
}

std::vector<Mutation> writes(std::uint64_t count, std::uint64_t step_ms) {
  std::vector<Mutation> mutations;
  for (std::uint64_t i = 1; i <= count; ++i) mutations.push_back(put("k", "v", i * step_ms, i));
  return mutations;
}

Record record_with_history(std::uint64_t count, std::uint64_t step_ms) { return record_after(writes(count, step_ms)); }

std::vector<Record> samples() {
  std::vector<Record> records = {
      record_after({put("k", "", 1)}),
      record_after({put("k", "value", 1), remove("k", 2)}),
      record_after({expiring(put("k", std::string("\0\xFF", 2), 1), 77)}),
  };
  std::vector<Mutation> many;
  for (std::uint64_t ms = 1; ms <= 20; ++ms) many.push_back(put("k", std::string(ms * 10, 'x'), ms));
  records.push_back(record_after(many));
  for (const std::uint64_t entries : {8U, 9U, 200U, 512U, 600U}) records.push_back(record_with_history(entries, 1));
  for (const std::uint64_t entries : {8U, 9U}) records.push_back(record_with_history(entries, 20'000));
  for (const std::uint64_t entries : {10U, 200U}) {
    std::vector<Mutation> cold_then_hot = writes(9, 20'000);
    for (std::uint64_t i = 0; i < entries; ++i) cold_then_hot.push_back(put("k", "hot", 900'000 + i));
    records.push_back(record_after(cold_then_hot));
  }
  for (const char* type : {"", "application/json", "image/png", "a/b; c=\"d\""}) {
    Mutation mutation = put("k", "{}", 1);
    mutation.value.content_type = type;
    mutation.value.form = ValueForm::json;
    mutation.expires_at_ms = std::numeric_limits<std::uint64_t>::max();
    records.push_back(record_after({mutation}));
  }
  return records;
}

TEST(RecordCodec, RoundTrip) {
  for (const Record& record : samples()) {
    const std::string stored = encode(record);
    const auto decoded = decode(stored);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(*decoded, record);
    const auto head = decode_head(stored);
    EXPECT_EQ(head->value, record.value.bytes);
    EXPECT_EQ(head->record.value.bytes, "");
  }
}

// Stored bytes outlive programs: this form must be readable for as long as there is a format 1.
TEST(RecordCodec, TheFormIsFixed) {
  const Record record = record_after({expiring(put("k", "hi", 1), 2)});
  const std::string expected =
      std::string("\x01\x16", 2) +                                      // format; flags: expiry, text, one entry
      "\x82\xD0\x95\xFF\xBC\x31" +                                      // expiry, varint
      "\x02" +                                                          // text/plain; charset=utf-8
      std::string("\x01\x8B\xCF\xE5\x68\x01\x70\x00\x80\x00\x00\x00\x00\x00\x00\x01\x00", 17) +  // version, created
      "hi";
  EXPECT_EQ(encode(record), expected);
}

std::string head_start(const Record& record) { return encode_head(record).substr(0, 5); }

TEST(RecordCodec, TheFormOfHistoriesIsFixed) {
  EXPECT_EQ(head_start(record_with_history(7, 1)).substr(0, 3), std::string("\x01\x74\x02", 3));
  EXPECT_EQ(head_start(record_with_history(9, 20'000)).substr(0, 3), std::string("\x01\x84\x02", 3));
  EXPECT_EQ(head_start(record_with_history(8, 20'000)).substr(0, 4), std::string("\x01\xA4\x02\x08", 4));
  EXPECT_EQ(head_start(record_with_history(512, 1)), std::string("\x01\xA4\x02\x80\x04", 5));
  EXPECT_EQ(head_start(record_with_history(513, 1)), std::string("\x01\x94\x02\x80\x04", 5));
}

// As every record with eight entries was stored before histories could be longer.
TEST(RecordCodec, EightEntriesWithoutALengthMayNotBeAll) {
  std::string stored = encode(record_with_history(8, 1));
  stored[1] = static_cast<char>(0x84);
  stored.erase(3, 1);
  const auto record = decode(stored);
  ASSERT_TRUE(record.has_value()) << record.error().message;
  EXPECT_EQ(record->history.entries().size(), 8U);
  EXPECT_TRUE(record->history.has_dropped());
  EXPECT_EQ(encode(*record), stored);
}

TEST(RecordCodec, EveryCutIsNoticedUnlessItCutsTheValue) {
  for (const Record& record : samples()) {
    const std::string stored = encode(record);
    const std::size_t head = stored.size() - record.value.bytes.size();
    for (std::size_t size = 0; size < head; ++size) {
      const auto decoded = decode(std::string_view(stored).substr(0, size));
      ASSERT_FALSE(decoded.has_value()) << "cut at " << size;
      EXPECT_EQ(decoded.error().code, ErrorCode::data_damaged);
    }
  }
}

TEST(RecordCodec, WrongBytesGiveAnErrorOrAWholeRecordButNeverMore) {
  std::mt19937_64 random(7);
  for (const Record& record : samples()) {
    const std::string stored = encode(record);
    for (int i = 0; i < 20'000; ++i) {
      std::string wrong = stored;
      for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
        wrong[random() % wrong.size()] ^= static_cast<char>(1U << (random() % 8));
      }
      if (random() % 4 == 0) wrong.resize(random() % (wrong.size() + 1));
      const auto decoded = decode(wrong);
      if (!decoded) {
        EXPECT_EQ(decoded.error().code, ErrorCode::data_damaged);
      } else {
        EXPECT_TRUE(decoded->check());
        EXPECT_EQ(decode(encode(*decoded)).value(), *decoded);
      }
    }
  }
}

TEST(RecordCodec, FormsThatWeNeverWriteAreRefused) {
  const std::string stored = encode(record_after({put("k", "v", 1)}));
  const std::string tombstone = encode(record_after({remove("k", 1)}));
  const auto with_byte = [](std::string bytes, std::size_t at, unsigned value) {
    bytes[at] = static_cast<char>(value);
    return bytes;
  };
  EXPECT_FALSE(decode(with_byte(stored, 0, 2)).has_value()) << "format 2";
  EXPECT_FALSE(decode(with_byte(stored, 1, 0x04)).has_value()) << "no history";
  EXPECT_FALSE(decode(with_byte(stored, 1, 0x94)).has_value()) << "a length that is not there";
  EXPECT_FALSE(decode(with_byte(stored, 1, 0xB4)).has_value()) << "no such length";
  EXPECT_FALSE(decode(with_byte(stored, 1, 0x1C)).has_value()) << "value form 3";
  EXPECT_FALSE(decode(with_byte(stored, 2, 0x7F)).has_value()) << "unknown content type";
  EXPECT_FALSE(decode(with_byte(stored, 3 + 6, 0x40)).has_value()) << "no version 7 UUID";
  EXPECT_FALSE(decode(with_byte(stored, 3 + 16, 4)).has_value()) << "unknown effect";
  const std::string all = encode(record_with_history(9, 1));
  EXPECT_TRUE(decode(all).has_value());
  EXPECT_FALSE(decode(with_byte(all, 3, 7)).has_value()) << "a length that needs no varint";
  EXPECT_TRUE(decode(with_byte(all, 1, 0x94)).has_value());
  EXPECT_FALSE(decode(with_byte(with_byte(all, 1, 0x94), 3, 8)).has_value()) << "eight entries, in two ways";
  EXPECT_FALSE(decode(all.substr(0, 3) + "\x89" + std::string(1, '\0') + all.substr(4)).has_value())
      << "a padded length";
  Record too_long = record_with_history(512, 1);
  too_long.version = version(513, 513);
  std::string one_more = encode_head(record_with_history(512, 1));
  one_more[3] = static_cast<char>(0x81);
  one_more.append(too_long.version.bytes().begin(), too_long.version.bytes().end());
  EXPECT_FALSE(decode(one_more + std::string(1, '\1')).has_value()) << "513 entries";
  EXPECT_FALSE(decode(tombstone + "v").has_value()) << "a tombstone with a value";
  EXPECT_FALSE(decode(with_byte(tombstone, 1, 0x15)).has_value()) << "a tombstone with a value form";
}

}  // namespace
}  // namespace armazem::test
