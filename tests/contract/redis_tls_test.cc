// The cache over TLS: a node of its own with a certificate that the test makes.
#include <gtest/gtest.h>

#include <cstdlib>

#include "adapters/redis/redis_cache.h"
#include "app/system_time.h"
#include "contract/cache_contract.h"
#include "support/redis_cluster.h"

namespace armazem::test {
namespace {

using namespace std::chrono_literals;

class RedisTls : public testing::Test {
 protected:
  // The server's certificate is for `names`; false when it cannot be made here.
  void serve(const std::string& names) {
    if (auto why = no_redis_server()) GTEST_SKIP() << *why;
    if (!make_certificate("server", names)) GTEST_SKIP() << "the program openssl is not installed";
    port_ = free_port();
    RedisClusterOptions options;
    options.primaries = 1;
    options.replicas = 0;
    options.more_lines = {"tls-port " + std::to_string(port_),      "tls-cluster yes",
                          "tls-cert-file " + dir_.sub("server.crt"), "tls-key-file " + dir_.sub("server.key"),
                          "tls-ca-cert-file " + dir_.sub("server.crt"), "tls-auth-clients no"};
    cluster_ = std::make_unique<RedisCluster>(options);
  }
  bool make_certificate(const std::string& name, const std::string& names) {
    const std::string command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=" + names +
                                " -keyout " + dir_.sub(name + ".key") + " -out " + dir_.sub(name + ".crt") + " 2>/dev/null";
    return std::system(command.c_str()) == 0;
  }
  void open(const std::string& trusted) {
    RedisOptions options = parse_redis_url("rediss://armazem:p%40ss%2Fword%3A1@127.0.0.1:" + std::to_string(port_)).value();
    options.ca_file = dir_.sub(trusted + ".crt");
    options.command_timeout = 2'000ms;
    options.connect_timeout = 5'000ms;
    cache_ = RedisCache::open(options, loops_, time_).value();
  }
  void expect_refused(const std::string& why) {
    const Key name = key("k");
    EXPECT_FALSE(executor_.run(cache_->get(name, soon())).has_value());
    EXPECT_TRUE(wait_for([&] { return cache_->health().detail.find(why) != std::string::npos; }, 20s)) << cache_->health().detail;
    EXPECT_EQ(cache_->figures().connects, 0U);
  }

  TempDir dir_;
  std::uint16_t port_ = 0;
  std::unique_ptr<RedisCluster> cluster_;
  SystemTime time_;
  net::LoopGroup loops_{"cache", 2};
  TestExecutor executor_;
  std::unique_ptr<RedisCache> cache_;
};

TEST_F(RedisTls, ValuesOfAnySizeFromSeveralLoops) {
  serve("IP:127.0.0.1");
  if (!cluster_) return;
  open("server");
  int failures = 0;
  for (std::size_t loop = 0; loop < loops_.size(); ++loop) {
    const auto root = [&]() -> Task<void> {
      for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16'384}, std::size_t{1} << 20}) {
        std::vector<CacheWrite> writes;
        for (int i = 0; i < 8; ++i) {
          const std::string name = std::to_string(loop) + "-" + std::to_string(size) + "-" + std::to_string(i);
          writes.push_back({key(name), record_of(std::string(size, static_cast<char>('a' + i)), 1), CacheWrite::Mode::put});
        }
        const auto written = co_await cache_->write(writes, soon());
        failures += written ? 0 : 1;
        for (const CacheWrite& write : writes) {
          const auto found = co_await cache_->get(write.key, soon());
          const bool same = found && found->record && found->record->value == write.record.value;
          failures += same ? 0 : 1;
        }
      }
    };
    net::run_to_end(loops_[loop], root());
  }
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(wait_for([&] { return cache_->health().ok; }, 20s)) << cache_->health().detail;
}

TEST_F(RedisTls, ACertificateOfAnUnknownAuthorityIsRefused) {
  serve("IP:127.0.0.1");
  if (!cluster_) return;
  ASSERT_TRUE(make_certificate("other", "IP:127.0.0.1"));
  open("other");
  expect_refused("self-signed certificate");
}

TEST_F(RedisTls, ACertificateForAnotherHostIsRefused) {
  serve("DNS:redis.example,IP:127.0.0.2");
  if (!cluster_) return;
  open("server");
  expect_refused("IP address mismatch");
}

TEST_F(RedisTls, AFileThatCannotBeReadIsSaidAtTheStart) {
  RedisOptions options = parse_redis_url("rediss://127.0.0.1:1").value();
  options.ca_file = dir_.sub("missing.pem");
  const auto opened = RedisCache::open(options, loops_, time_);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, ErrorCode::precondition);
  EXPECT_NE(opened.error().message.find("missing.pem"), std::string::npos);
}

}  // namespace
}  // namespace armazem::test
