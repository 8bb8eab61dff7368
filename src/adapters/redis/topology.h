// Who serves which slots, as the nodes of a cluster say it in `CLUSTER NODES`. That command and not SHARDS or SLOTS,
// because it alone tells config epochs; the rule between contradicting nodes is the cluster's own: for every slot the
// claim with the highest config epoch wins.
//
// Immutable once published.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/slot.h"
#include "core/result.h"
#include "net/connect.h"

namespace armazem::redis {

struct SlotRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

struct NodeLine {
  std::string id;
  net::HostPort address;
  std::string hostname;  // empty when the node announces none
  bool primary = false;
  bool usable = true;  // false: no address known, or not yet part of the cluster
  std::uint64_t epoch = 0;
  std::vector<SlotRange> slots;
};

// One node's answer. A node without a host of its own is the one that was asked. Unknown flags, and slots on their way
// between nodes, are passed over; anything else that is not in the documented form is data_damaged.
[[nodiscard]] Result<std::vector<NodeLine>> parse_cluster_nodes(std::string_view text, const net::HostPort& asked);

struct Shard {
  net::HostPort primary;
  std::string hostname;  // another name of the primary, if it has one
  std::uint64_t epoch = 0;
};

class Topology {
 public:
  static constexpr std::size_t none = SIZE_MAX;

  // nullptr when no slot is served by anybody. Several answers of one round, in any order.
  static std::shared_ptr<const Topology> merge(std::span<const std::vector<NodeLine>> answers);

  [[nodiscard]] const std::vector<Shard>& shards() const noexcept { return shards_; }  // those with slots
  [[nodiscard]] std::size_t shard_of(std::uint16_t slot) const noexcept {
    return owners_[slot] == no_owner ? none : owners_[slot];
  }
  // The shard whose primary has that address or name; none when there is no such.
  [[nodiscard]] std::size_t find(const net::HostPort& address) const noexcept;
  [[nodiscard]] const std::vector<net::HostPort>& nodes() const noexcept { return nodes_; }  // replicas too
  [[nodiscard]] std::uint64_t newest_epoch() const noexcept;
  [[nodiscard]] bool same_as(const Topology& other) const noexcept;

 private:
  static constexpr std::uint16_t no_owner = UINT16_MAX;
  std::vector<Shard> shards_;
  std::array<std::uint16_t, slot_count> owners_{};
  std::vector<net::HostPort> nodes_;
};

}  // namespace armazem::redis
