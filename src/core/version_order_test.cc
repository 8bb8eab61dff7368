// The order of versions, against the file that the SQL and Lua implementations must agree with too.
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "core/version.h"

namespace armazem {
namespace {

struct Vector {
  std::string text;
  std::string hex;
  std::uint64_t ms = 0;
  std::uint64_t counter = 0;
  std::uint64_t op = 0;

  [[nodiscard]] Version version() const { return Version::make(Tick(ms << Tick::counter_bits | counter), OpId(op)); }
  [[nodiscard]] auto parts() const { return std::tuple(ms, counter, op); }
};

std::vector<Vector> load() {
  std::ifstream file(ARMAZEM_SOURCE_DIR "/tests/vectors/version_order.json");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  std::vector<Vector> vectors;
  const boost::json::value file_json = boost::json::parse(content);
  for (const auto& item : file_json.as_array()) {
    vectors.push_back({item.at("text").as_string().c_str(), item.at("hex").as_string().c_str(),
                       item.at("ms").to_number<std::uint64_t>(), item.at("counter").to_number<std::uint64_t>(),
                       std::stoull(item.at("op").as_string().c_str(), nullptr, 16)});
  }
  return vectors;
}

std::string hex(const Version& version) {
  std::string text = version.text();
  std::erase(text, '-');
  return text;
}

std::uint64_t half(const Vector& vector, std::size_t from) { return std::stoull(vector.hex.substr(from, 16), nullptr, 16); }

TEST(VersionOrder, EachVectorIsReadAndWrittenAsInTheFile) {
  for (const Vector& vector : load()) {
    const auto parsed = Version::parse(vector.text);
    ASSERT_TRUE(parsed.has_value()) << vector.text;
    EXPECT_EQ(*parsed, vector.version()) << vector.text;
    EXPECT_EQ(parsed->text(), vector.text);
    EXPECT_EQ(hex(*parsed), vector.hex);
    EXPECT_EQ(parsed->ms(), vector.ms) << vector.text;
    EXPECT_EQ(parsed->tick().bits() & 0xFFF, vector.counter) << vector.text;
    EXPECT_EQ(parsed->op().bits(), vector.op) << vector.text;
  }
}

TEST(VersionOrder, EveryPairIsOrderedAsInTheFile) {
  const std::vector<Vector> vectors = load();
  ASSERT_GE(vectors.size(), 200U);
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (std::size_t j = 0; j < vectors.size(); ++j) {
      const Version a = vectors[i].version();
      const Version b = vectors[j].version();
      ASSERT_EQ(a <=> b, i <=> j) << vectors[i].text << " and " << vectors[j].text;
      ASSERT_EQ(a == b, i == j);
      ASSERT_EQ(vectors[i].text <=> vectors[j].text, i <=> j);
      ASSERT_EQ(vectors[i].parts() <=> vectors[j].parts(), i <=> j);
    }
  }
}

// The file keeps its teeth: an implementation that compares doubles must fail on it.
TEST(VersionOrder, TheFileHoldsNeighboursThatADoubleCannotTellApart) {
  const std::vector<Vector> vectors = load();
  int time_ties = 0;
  int op_ties = 0;
  for (std::size_t i = 1; i < vectors.size(); ++i) {
    const auto tie = [&](std::size_t from) {
      const std::uint64_t a = half(vectors[i - 1], from);
      const std::uint64_t b = half(vectors[i], from);
      return a != b && static_cast<double>(a) == static_cast<double>(b);
    };
    time_ties += tie(0);
    op_ties += tie(16);
  }
  EXPECT_GE(time_ties, 20);
  EXPECT_GE(op_ties, 5);
}

TEST(VersionOrder, IsThatOfTheBytesAndOfThePartsForRandomNeighbours) {
  std::mt19937_64 random(20260101);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t tick = random() & Tick::max_bits;
    const std::uint64_t op = random() & OpId::mask;
    const Version a = Version::make(Tick(tick), OpId(op));
    const Version b = Version::make(Tick(random() % 2 ? tick : tick ^ std::uint64_t{1} << random() % 60),
                                    OpId(random() % 4 ? op ^ std::uint64_t{1} << random() % 62 : op));
    const int bytes = std::memcmp(a.bytes().data(), b.bytes().data(), a.bytes().size());
    ASSERT_EQ(a <=> b, bytes <=> 0) << a.text() << " and " << b.text();
    ASSERT_EQ(a <=> b, std::tuple(a.tick(), a.op()) <=> std::tuple(b.tick(), b.op())) << a.text() << " and " << b.text();
  }
}

}  // namespace
}  // namespace armazem
