// One shard of the cache cluster, and the cache adapter of one process in front of it: what the scripts of
// src/adapters/redis/scripts.cc do on the server, and what RedisCache and ClusterClient do around them (leases, epochs, times
// to live, redirections). The contract suite of the port holds the real ones to the same rules.
//
// A failover promotes a replica that has not seen the last changes. A process learns of it when it is redirected, when its
// connection breaks, or by looking now and then; until then it may still reach the old primary.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "ports/cache.h"
#include "simulation/link.h"

namespace armazem::sim {

struct CacheOptions {
  std::uint64_t ttl_ms = 60'000;
  std::uint64_t lease_ttl_ms = 2'000;
};

struct CacheEntry {
  bool is_lease = false;
  std::uint64_t token = 0;  // of a lease
  std::uint64_t epoch = 0;
  Record record;            // of an entry; without history
  std::uint64_t stored_ms = 0;
};

struct CacheReply {
  enum class Kind : std::uint8_t { none, entry, number, moved } kind = Kind::none;
  long long number = 0;
  std::optional<CacheEntry> entry;
};

// The memory of one Redis node.
class CacheNode {
 public:
  CacheNode(World& world, CacheOptions options) : world_(&world), options_(options) {}

  CacheReply get(const Key& key);
  CacheReply lease(const Key& key, const CacheEntry& lease);
  CacheReply fill(const Key& key, const CacheEntry& lease, const CacheEntry& entry, std::uint64_t ttl_ms);
  CacheReply put(const Key& key, const CacheEntry& entry, std::uint64_t ttl_ms);
  CacheReply replace_only(const Key& key, const CacheEntry& entry, std::uint64_t ttl_ms);
  CacheReply remove_older(const Key& key, const CacheEntry& header);

  void evict(const Key& key);
  // Nothing older than this may stand here: the newest version that a write brought or removed older ones for, since when
  // nothing was lost. Nil: nothing is known.
  [[nodiscard]] Version told(const Key& key) const;
  // Whether a fill brought something older than what a write had brought before, at whatever time: its lease should have
  // been destroyed.
  [[nodiscard]] bool went_back() const noexcept { return went_back_; }
  // The state that a replica has which did not see the last `lost` changes.
  [[nodiscard]] CacheNode replica_without(std::size_t lost) const;
  void clear();
  [[nodiscard]] const CacheEntry* look(const Key& key) const;

 private:
  struct Slot {
    Key key;
    std::optional<CacheEntry> entry;
    Microseconds ends = 0;
    std::uint64_t token = 0;  // of the last lease; only with a planted bug it outlives the lease
    Version told;             // by writes, since nothing was lost
    Version told_ever;
  };
  [[nodiscard]] Slot& slot(const Key& key);
  void set(Slot& slot, std::optional<CacheEntry> entry, std::uint64_t ttl_ms);
  static void tell(Slot& slot, const Version& version) noexcept;

  World* world_;
  CacheOptions options_;
  std::vector<Slot> slots_;
  std::vector<Slot> undo_;  // what stood there before, oldest change first
  bool went_back_ = false;
};

class CacheServer {
 public:
  CacheServer(World& world, CacheOptions chosen) : options(chosen), primary(world, chosen), old(world, chosen), world_(world) {}

  void fail_over(std::size_t lost, Microseconds old_served_for);
  // The node starts again, empty, and is still the primary.
  void restart();

  const CacheOptions options;
  std::uint64_t epoch = 1;
  CacheNode primary;
  CacheNode old;                  // the primary of before
  Microseconds old_until = 0;     // it is still there for those who do not know better
  Microseconds down_until = 0;    // connections are refused

 private:
  World& world_;
};

class SimCache final : public Cache {
 public:
  SimCache(CacheServer& server, World& world, Process& process)
      : link{world}, server_(server), world_(world), process_(process), epoch_(server.epoch), random_(world.random.next()) {}

  Task<Result<CacheLookup>> get(const Key& key, Deadline deadline) override;
  Task<Result<bool>> fill(const Key& key, const std::optional<Record>& record, Lease lease, Deadline deadline) override;
  Task<Result<void>> write(std::span<const CacheWrite> writes, Deadline deadline) override;
  [[nodiscard]] CacheHealth health() const override { return {true, "simulated"}; }

  Link link;

 private:
  using Answer = Result<CacheReply>;
  struct Asked {
    Answer answer;
    std::uint64_t epoch = 0;  // that was written into what was sent
  };
  // Runs `execute(node, epoch)` at the node that this process takes for the primary, and follows it when that was wrong.
  template <class Execute>
  Task<Asked> call(Execute execute, Deadline deadline);
  void look_for_primary();

  Task<Result<CacheLookup>> take_lease(const Key& key, Deadline deadline);
  [[nodiscard]] std::optional<CacheLookup> hit(const CacheEntry& entry, std::uint64_t asked_epoch) const;
  Task<Answer> write_one(const CacheWrite& write, Deadline deadline);
  [[nodiscard]] std::int64_t ttl_ms(const std::optional<Record>& record, std::uint64_t stored_ms);

  CacheServer& server_;
  World& world_;
  Process& process_;
  std::uint64_t epoch_;  // of the primary that this process knows
  Microseconds looked_at_ = 0;
  bool looking_ = false;
  Random random_;
};

}  // namespace armazem::sim
