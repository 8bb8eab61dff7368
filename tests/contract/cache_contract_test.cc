// The caches to try: memory always, Redis where there is one.
#include "contract/cache_contract.h"

#include <thread>

#include "adapters/memory/memory_cache.h"
#include "app/system_time.h"
#include "contract/redis_fixture.h"
#include "support/manual_time.h"

namespace armazem::test {
namespace {

class MemoryUnderTest final : public CacheUnderTest {
 public:
  explicit MemoryUnderTest(const CacheSetup& setup) : cache_(time_, {setup.ttl, setup.lease_ttl, setup.entry_bytes_max}) {}
  Cache& cache() override { return cache_; }
  [[nodiscard]] const TimeSource& time() const override { return time_; }
  void pass_a_little() override { time_.pass(std::chrono::milliseconds(5)); }

 private:
  ManualTime time_;
  MemoryCache cache_;
};

class RedisUnderTest final : public CacheUnderTest {
 public:
  RedisUnderTest(RedisOptions options, const CacheSetup& setup, net::LoopGroup& loops) {
    options.prefix = own_prefix();
    options.ttl = setup.ttl;
    options.lease_ttl = setup.lease_ttl;
    options.entry_bytes_max = setup.entry_bytes_max;
    // The machine may be busy, and these tests are not about slow servers.
    options.command_timeout = std::chrono::milliseconds(2'000);
    options.connect_timeout = std::chrono::milliseconds(5'000);
    cache_ = RedisCache::open(std::move(options), loops, time_).value();
  }
  Cache& cache() override { return *cache_; }
  [[nodiscard]] const TimeSource& time() const override { return time_; }
  void pass_a_little() override { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

 private:
  SystemTime time_;
  std::unique_ptr<RedisCache> cache_;
};

MadeCache make_memory(const CacheSetup& setup, net::LoopGroup&) { return std::make_unique<MemoryUnderTest>(setup); }

MadeCache make_redis(const CacheSetup& setup, net::LoopGroup& loops) {
  auto options = shared_redis();
  if (auto* why = std::get_if<std::string>(&options)) return *why;
  return std::make_unique<RedisUnderTest>(std::get<RedisOptions>(options), setup, loops);
}

INSTANTIATE_TEST_SUITE_P(Caches, CacheContract,
                         testing::Values(CacheKind{"memory", make_memory}, CacheKind{"redis", make_redis}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace armazem::test
