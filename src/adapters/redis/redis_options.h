// How to reach a Redis Cluster, and the bounds of using it as a cache.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "net/connect.h"

namespace armazem {

struct RedisOptions {
  std::vector<net::HostPort> seeds;  // any node of the cluster; one that answers is enough
  std::string user;                  // empty: the server's default user
  std::string password;              // empty: no AUTH
  bool tls = false;
  std::string ca_file;  // PEM; empty: the system's. Only with tls
  std::string prefix = "armazem:";

  std::chrono::milliseconds ttl{60'000};       // of an entry; the bound of how old a hit may be. Jitter only shortens it
  std::chrono::milliseconds lease_ttl{2'000};  // a reader that died does not keep the others from filling for longer
  std::size_t entry_bytes_max = std::size_t{1} << 20;  // larger records are not cached

  std::chrono::milliseconds command_timeout{100};  // from the request until its answer; the connection is then given up
  std::chrono::milliseconds connect_timeout{500};  // TCP, TLS and AUTH together
  std::chrono::milliseconds refresh_period{1'000};
  std::size_t waiting_max = 4'096;                             // requests without an answer, per connection
  std::size_t waiting_bytes_max = std::size_t{16} << 20;       // bytes not yet sent, per connection
  int redirects_max = 4;                                       // per call: MOVED, ASK, TRYAGAIN and the like
  int breaker_failures = 5;                                    // in a row, until a node is left alone
  std::chrono::milliseconds breaker_open{500};                 // until the next try, half of it by chance
};

// redis://user:password@host:port,host:port,…?prefix=… or rediss:// for TLS, with ?ca=FILE. User and password are
// percent-decoded; the port is 6379 when it is left out. invalid_argument says what is wrong and never shows the password.
[[nodiscard]] Result<RedisOptions> parse_redis_url(std::string_view url);

}  // namespace armazem
