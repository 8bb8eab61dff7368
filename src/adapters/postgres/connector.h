// Makes connections: resolves names, goes through the hosts, remembers which of them were of no use, and why.
//
// Thread rule: the loop's own thread. One per loop.
#pragma once

#include <memory>
#include <random>

#include "adapters/postgres/counters.h"
#include "adapters/postgres/session.h"

namespace armazem::pg {

struct Opened {
  std::unique_ptr<Connection> connection;
  Session session;
  std::size_t host = 0;  // its index
};

class Connector {
 public:
  Connector(net::IoLoop& loop, Sweeper& sweeper, net::Resolver& resolver, const Target& target,
            const PostgresOptions& options, Counters& counters);

  // Tries every host once, from `first` on, those that failed lately last. The error names every host with its reason;
  // precondition when a server was reached that must not be used.
  Task<Result<Opened>> open(std::size_t first);
  // This host went away or does not take writes: others come first for a while.
  void avoid(std::size_t host) noexcept;

  // How long to wait after that many failures in a row: doubles from 100 ms to 2 s, of which half is random.
  [[nodiscard]] std::chrono::milliseconds backoff(int failures);
  // When a connection that is made now shall be replaced.
  [[nodiscard]] MonotonicTime expiry();
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  // What the last server that was reached calls itself; empty before.
  [[nodiscard]] const std::string& server() const noexcept { return server_; }

 private:
  Task<Result<Opened>> open_host(std::size_t host);
  Task<Result<Opened>> open_address(std::size_t host, std::string address, MonotonicTime due);
  [[nodiscard]] std::vector<std::size_t> order(std::size_t first) const;

  net::IoLoop& loop_;
  Sweeper& sweeper_;
  net::Resolver& resolver_;
  const Target& target_;
  const PostgresOptions& options_;
  Counters& counters_;
  std::vector<MonotonicTime> avoid_until_;  // by host
  std::mt19937_64 random_;
  std::string server_;
};

}  // namespace armazem::pg
