#include "adapters/redis/topology.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace armazem::redis {
namespace {

tl::unexpected<Error> damaged(std::string_view what, std::string_view line) {
  return fail(ErrorCode::data_damaged,
              "CLUSTER NODES: " + std::string(what) + " in '" + std::string(line.substr(0, 200)) + "'");
}

// Cuts the text up to the separator off the front; all of it when there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// ip:port@bus-port[,hostname[,name=value]…], where an IPv6 address stands without brackets.
bool read_address(std::string_view text, NodeLine& node) {
  std::string_view endpoint = take_until(text, ',');
  node.hostname = take_until(text, ',');
  if (node.hostname == "?") node.hostname.clear();
  endpoint = endpoint.substr(0, endpoint.find('@'));
  const auto colon = endpoint.rfind(':');
  if (colon == endpoint.npos) return false;
  const auto port = number<std::uint16_t>(endpoint.substr(colon + 1));
  if (!port) return false;
  node.address = {std::string(endpoint.substr(0, colon)), *port};
  return true;
}

bool read_slots(std::string_view text, std::vector<SlotRange>& slots) {
  while (!text.empty()) {
    const std::string_view one = take_until(text, ' ');
    if (one.starts_with('[')) continue;  // migrating or importing: still the owner's
    const auto dash = one.find('-');
    const auto first = number<std::uint16_t>(one.substr(0, dash));
    const auto last = dash == one.npos ? first : number<std::uint16_t>(one.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= slot_count) return false;
    slots.push_back({*first, *last});
  }
  return true;
}

void read_flags(std::string_view text, NodeLine& node, bool& is_self) {
  while (!text.empty()) {
    const std::string_view flag = take_until(text, ',');
    if (flag == "master" || flag == "primary") node.primary = true;
    if (flag == "myself") is_self = true;
    if (flag == "noaddr" || flag == "handshake") node.usable = false;
  }
}

Result<NodeLine> parse_line(std::string_view line, const net::HostPort& asked) {
  NodeLine node;
  bool is_self = false;
  std::string_view rest = line;
  node.id = take_until(rest, ' ');
  const bool hexadecimal =
      std::ranges::all_of(node.id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (node.id.size() != 40 || !hexadecimal) return damaged("no node id", line);
  if (!read_address(take_until(rest, ' '), node)) return damaged("no address", line);
  read_flags(take_until(rest, ' '), node, is_self);
  for (int skipped = 0; skipped < 3; ++skipped) take_until(rest, ' ');  // its primary, ping sent, pong received
  const auto epoch = number<std::uint64_t>(take_until(rest, ' '));
  if (!epoch) return damaged("no config epoch", line);
  node.epoch = *epoch;
  const std::string_view link = take_until(rest, ' ');
  if (link != "connected" && link != "disconnected") return damaged("no link state", line);
  if (!read_slots(rest, node.slots)) return damaged("a wrong slot", line);

  if (is_self && node.address.port == 0) node.address.port = asked.port;
  if (node.address.host.empty() && is_self) node.address.host = asked.host;
  if (node.address.host.empty()) node.address.host = node.hostname;
  if (node.address.host.empty() || node.address.port == 0) node.usable = false;
  return node;
}

}  // namespace

Result<std::vector<NodeLine>> parse_cluster_nodes(std::string_view text, const net::HostPort& asked) {
  std::vector<NodeLine> nodes;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto node = parse_line(line, asked);
    if (!node) return fail(std::move(node.error()));
    nodes.push_back(std::move(*node));
  }
  if (nodes.empty()) return damaged("no node", text);
  return nodes;
}

std::shared_ptr<const Topology> Topology::merge(std::span<const std::vector<NodeLine>> answers) {
  // Of one node the newest that anybody knows. Its slots come from the answer with its highest epoch.
  std::array<const NodeLine*, slot_count> claims{};
  auto merged = std::make_shared<Topology>();
  for (const std::vector<NodeLine>& answer : answers) {
    for (const NodeLine& node : answer) {
      if (!node.usable) continue;
      merged->nodes_.push_back(node.address);
      if (!node.primary) continue;
      for (const SlotRange& range : node.slots) {
        for (std::size_t slot = range.first; slot <= range.last; ++slot) {
          if (claims[slot] == nullptr || node.epoch > claims[slot]->epoch) claims[slot] = &node;
        }
      }
    }
  }
  std::ranges::sort(merged->nodes_);
  merged->nodes_.erase(std::ranges::unique(merged->nodes_).begin(), merged->nodes_.end());

  // One shard per node id, with the highest epoch that it won a slot with.
  std::map<std::string_view, std::size_t> shard_of_id;
  for (std::size_t slot = 0; slot < slot_count; ++slot) {
    const NodeLine* const owner = claims[slot];
    merged->owners_[slot] = no_owner;
    if (owner == nullptr) continue;
    const auto [at, first] = shard_of_id.try_emplace(owner->id, merged->shards_.size());
    if (first) merged->shards_.push_back({owner->address, owner->hostname, owner->epoch});
    Shard& shard = merged->shards_[at->second];
    if (owner->epoch > shard.epoch) shard = {owner->address, owner->hostname, owner->epoch};
    merged->owners_[slot] = static_cast<std::uint16_t>(at->second);
  }
  return merged->shards_.empty() ? nullptr : merged;
}

std::size_t Topology::find(const net::HostPort& address) const noexcept {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const Shard& shard = shards_[i];
    if (shard.primary == address) return i;
    if (shard.primary.port == address.port && !shard.hostname.empty() && shard.hostname == address.host) return i;
  }
  return none;
}

std::uint64_t Topology::newest_epoch() const noexcept {
  std::uint64_t newest = 0;
  for (const Shard& shard : shards_) newest = std::max(newest, shard.epoch);
  return newest;
}

bool Topology::same_as(const Topology& other) const noexcept {
  const auto equal = [](const Shard& a, const Shard& b) {
    return a.primary == b.primary && a.hostname == b.hostname && a.epoch == b.epoch;
  };
  return owners_ == other.owners_ && nodes_ == other.nodes_ && std::ranges::equal(shards_, other.shards_, equal);
}

}  // namespace armazem::redis
