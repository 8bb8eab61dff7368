// The order of versions inside the cache, against the file that C++ and SQL are tested with too. On Redis that is the
// order of the scripts on the real server.
#include <boost/json.hpp>

#include <fstream>
#include <iterator>

#include "contract/cache_contract.h"

namespace armazem::test {
namespace {

std::vector<Version> load_versions() {
  std::ifstream file(ARMAZEM_SOURCE_DIR "/tests/vectors/version_order.json");
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  std::vector<Version> versions;
  const boost::json::value file_json = boost::json::parse(content);
  for (const auto& item : file_json.as_array()) {
    versions.push_back(Version::parse(item.at("text").as_string().c_str()).value());
  }
  return versions;
}

Record at_version(const Version& version) {
  Record record = record_of(version.text(), 1);
  record.version = version;
  return record;
}

// Every version is put on a key that holds `versions[held]`, by `mode`; what is there afterwards, by index, or npos.
Task<void> write_all_onto(Cache& cache, const std::vector<Version>& versions, std::size_t held, CacheWrite::Mode mode,
                          std::vector<std::size_t>& left) {
  std::vector<CacheWrite> first;
  std::vector<CacheWrite> second;
  for (std::size_t j = 0; j < versions.size(); ++j) {
    const Key name = key(std::to_string(static_cast<int>(mode)) + "-" + std::to_string(held) + "-" + std::to_string(j));
    first.push_back({name, at_version(versions[held]), CacheWrite::Mode::put});
    second.push_back({name, at_version(versions[j]), mode});
  }
  const auto put = co_await cache.write(first, soon());
  const auto written = co_await cache.write(second, soon());
  ARMAZEM_ASSERT(put && written);
  left.assign(versions.size(), std::string::npos);
  for (std::size_t j = 0; j < versions.size(); ++j) {
    const auto found = co_await cache.get(first[j].key, soon());
    if (!found || !found->record) continue;
    for (const std::size_t i : {held, j}) {
      if (found->record->version == versions[i] && found->record->value.bytes == versions[i].text()) left[j] = i;
    }
  }
}

TEST_P(CacheContract, EveryPairOfVersionsIsOrderedAsInTheFile) {
  const std::vector<Version> versions = load_versions();
  ASSERT_GE(versions.size(), 200U);
  for (std::size_t held = 0; held < versions.size(); ++held) {
    std::vector<std::size_t> left;
    net::run_to_end(loops_[0], write_all_onto(cache(), versions, held, Mode::put, left));
    for (std::size_t j = 0; j < versions.size(); ++j) {
      ASSERT_EQ(left[j], std::max(held, j)) << versions[held].text() << " and " << versions[j].text();
    }
  }
}

TEST_P(CacheContract, TheOtherModesOrderVersionsTheSame) {
  const std::vector<Version> versions = load_versions();
  for (std::size_t held = 0; held < versions.size(); held += 17) {
    std::vector<std::size_t> left;
    net::run_to_end(loops_[0], write_all_onto(cache(), versions, held, Mode::replace_only, left));
    for (std::size_t j = 0; j < versions.size(); ++j) ASSERT_EQ(left[j], std::max(held, j)) << versions[j].text();
    net::run_to_end(loops_[1], write_all_onto(cache(), versions, held, Mode::remove_older, left));
    for (std::size_t j = 0; j < versions.size(); ++j) {
      ASSERT_EQ(left[j], j > held ? std::string::npos : held) << versions[j].text();
    }
  }
}

}  // namespace
}  // namespace armazem::test
