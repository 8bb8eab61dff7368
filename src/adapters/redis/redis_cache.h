// Cache on a Redis Cluster: connections of its own on every loop, no lock and no hand-over on the way of a request.
//
// What is stored, and how it is compared, stands in entry_codec.h and scripts.h. In short: one string per key; a lease and
// an entry take each other's place; every entry carries the config epoch of its shard's primary and counts as absent for
// whoever knows another one, so that what a failover brought back from an older state is never served (docs/adr/0009).
//
// How old a hit may be: at most the options' ttl since the record was read from, or written to, the store. For what was
// filled the time counts from the lease, that is from before the read. A primary that is cut off may answer those clients
// that are cut off with it until it notices, which takes the cluster's node time-out.
//
// Thread rule: as ports/cache.h. Made and destroyed on a thread that is none of the loops. A call from one of them stays
// there; a call from elsewhere is run on the first. No call may be running when the cache is destroyed, and the loops,
// which it does not own, must outlive it.
#pragma once

#include <memory>
#include <vector>

#include "adapters/redis/figures.h"
#include "adapters/redis/redis_options.h"
#include "core/time_source.h"
#include "net/loop_group.h"
#include "ports/cache.h"

namespace armazem {

namespace redis {
class ClusterClient;
struct Request;
class TlsContext;
class ViewBoard;
}  // namespace redis

class RedisCache final : public Cache {
 public:
  // Connects in the background: a cluster that is down only shows in health(). invalid_argument: options out of bounds.
  // precondition: the file of certificate authorities cannot be read. `time` serves the wall clock only.
  static Result<std::unique_ptr<RedisCache>> open(RedisOptions options, net::LoopGroup& loops, const TimeSource& time);
  ~RedisCache() override;
  RedisCache(const RedisCache&) = delete;
  RedisCache& operator=(const RedisCache&) = delete;

  Task<Result<CacheLookup>> get(const Key& key, Deadline deadline) override;
  Task<Result<bool>> fill(const Key& key, const std::optional<Record>& record, Lease lease, Deadline deadline) override;
  Task<Result<void>> write(std::span<const CacheWrite> writes, Deadline deadline) override;
  [[nodiscard]] CacheHealth health() const override;

  // From any thread.
  [[nodiscard]] RedisFigures figures() const;

 private:
  RedisCache(RedisOptions options, std::unique_ptr<redis::TlsContext> tls, net::LoopGroup& loops,
             const TimeSource& time);

  Task<Result<CacheLookup>> get_here(redis::ClusterClient& client, const Key& key, Deadline deadline);
  Task<Result<CacheLookup>> take_lease(redis::ClusterClient& client, std::string name, Deadline deadline);
  Task<Result<bool>> fill_here(redis::ClusterClient& client, const Key& key, const std::optional<Record>& record,
                               Lease lease, Deadline deadline);
  Task<Result<void>> write_here(redis::ClusterClient& client, std::span<const CacheWrite> writes, Deadline deadline);
  Task<void> write_one(redis::ClusterClient& client, const CacheWrite& write, Deadline deadline, Result<void>& all);
  Task<Result<long long>> store(redis::ClusterClient& client, const CacheWrite& write, Deadline deadline);
  Task<Result<long long>> remove_older(redis::ClusterClient& client, const CacheWrite& write, Deadline deadline);

  // nullopt: it is not for us (a lease, another epoch, damaged).
  std::optional<CacheLookup> hit(redis::ClusterClient& client, const redis::Request& request, std::string&& encoded);
  [[nodiscard]] std::string name_of(const Key& key) const;
  // How long an entry may live that was stored at that time; zero or less: it may not.
  [[nodiscard]] std::int64_t ttl_ms(redis::ClusterClient& client, const std::optional<Record>& record,
                                    std::uint64_t stored_ms) const;
  [[nodiscard]] bool too_large(const std::optional<Record>& record) const noexcept;
  [[nodiscard]] redis::ClusterClient* client_here() const noexcept;

  const RedisOptions options_;
  const std::unique_ptr<redis::TlsContext> tls_;  // nullptr without TLS
  net::LoopGroup& loops_;
  const TimeSource& time_;
  net::Resolver resolver_;
  const std::unique_ptr<redis::ViewBoard> board_;
  std::vector<std::unique_ptr<redis::ClusterClient>> clients_;  // one per loop
};

}  // namespace armazem
