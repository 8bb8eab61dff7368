// The Redis Cluster that the tests of a process share, and caches on it that see only their own keys.
//
// ARMAZEM_TEST_REDIS names it: a URL as of parse_redis_url, or "own" for one that the process starts for itself.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <variant>

#include "adapters/redis/redis_cache.h"
#include "support/redis_cluster.h"

namespace armazem::test {

// The options, or why there are none.
inline std::variant<RedisOptions, std::string> shared_redis() {
  const char* const named = std::getenv("ARMAZEM_TEST_REDIS");
  if (named == nullptr || *named == '\0') {
    return "ARMAZEM_TEST_REDIS is not set: the URL of a Redis Cluster, or 'own' to start one";
  }
  std::string url = named;
  if (url == "own") {
    if (auto why = no_redis_server()) return *why;
    static const auto own = std::make_unique<RedisCluster>();
    url = own->url();
  }
  auto options = parse_redis_url(url);
  if (!options) throw std::runtime_error("ARMAZEM_TEST_REDIS: " + options.error().message);
  return *options;
}

// Below the prefix that the cache's user may touch, and another one for every cache of every process.
inline std::string own_prefix() {
  static std::atomic<int> count{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return "armazem:test-" + std::to_string(::getpid()) + "-" + std::to_string(now) + "-" + std::to_string(++count) + ":";
}

}  // namespace armazem::test
