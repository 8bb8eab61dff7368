// The first loop's part: asking the nodes who serves what, and saying how the cluster is.
#include <algorithm>
#include <utility>

#include "adapters/redis/cluster_client.h"

namespace armazem::redis {
namespace {

constexpr std::size_t nodes_asked_max = 8;

}  // namespace

Task<void> ClusterClient::refresh() {
  board_.refresh_begins();
  counters_.refreshes.add();
  std::vector<net::HostPort> nodes = options_.seeds;
  if (view_) nodes.insert(nodes.end(), view_->nodes().begin(), view_->nodes().end());
  std::ranges::sort(nodes);
  nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
  std::ranges::shuffle(nodes, random_);
  // Those that work first; the others are asked too, which is how they are found to work again.
  std::ranges::stable_partition(nodes, [this](const net::HostPort& node) { return link_to(node).works(); });
  if (nodes.size() > nodes_asked_max) nodes.resize(nodes_asked_max);

  std::vector<std::vector<NodeLine>> answers;
  {
    TaskScope asking(loop_);
    for (const net::HostPort& node : nodes) asking.spawn(ask_for_view(link_to(node), answers));
    co_await asking.join();
  }
  if (answers.empty()) counters_.refreshes_failed.add();
  publish(answers);
  refreshing_ = false;
  refreshed_at_ = MonotonicClock::now();
  const auto period = static_cast<std::uint64_t>(options_.refresh_period.count());
  refresh_due_ = refreshed_at_ + std::chrono::milliseconds(period * 9 / 10 + random_() % (period / 5 + 1));
  board_.refresh_ended();
}

Task<void> ClusterClient::ask_for_view(Link& link, std::vector<std::vector<NodeLine>>& answers) {
  const net::HostPort asked = link.node();
  constexpr std::string_view command[] = {"CLUSTER", "NODES"};
  Exchange exchange(link, command, Deadline::none(), {.asking = false, .probing = true});
  const Result<Reply> reply = co_await exchange;
  if (!reply || reply->kind != Reply::Kind::bulk) co_return;
  auto nodes = parse_cluster_nodes(reply->text, asked);
  if (!nodes) co_return;
  for (NodeLine& node : *nodes) {
    // Certificates are made out to names, where nodes have any.
    if (options_.tls && !node.hostname.empty()) std::swap(node.address.host, node.hostname);
  }
  answers.push_back(std::move(*nodes));
}

// A view older than the one we have, from less than half of the nodes, is that of a part cut off: not taken.
void ClusterClient::publish(std::span<const std::vector<NodeLine>> answers) {
  auto merged = Topology::merge(answers);
  if (!merged || (view_ && merged->same_as(*view_))) return;
  const bool majority = 2 * answers.size() > merged->nodes().size();
  if (view_ && merged->newest_epoch() < view_->newest_epoch() && !majority) return;
  counters_.views.add();
  board_.publish(std::move(merged));
  adopt_view();
}

void ClusterClient::report_health() {
  std::size_t working = 0;
  std::string problems;
  for (const Link* const link : primaries_) {
    working += link->works() ? 1 : 0;
    if (!link->works()) problems += "; shard " + link->node().text() + ": " + link->problem();
  }
  CacheHealth health{view_ != nullptr && working == primaries_.size(),
                     std::to_string(working) + " of " + std::to_string(primaries_.size()) + " shards" + problems};
  if (!view_) {
    health.detail = "no node has answered yet";
    for (const auto& [node, link] : links_) health.detail += "; " + node.text() + ": " + link->problem();
  }
  if (const std::string denied = board_.denied(); !denied.empty()) {
    health.ok = false;
    health.detail += "; the user needs get, getrange, set, del, eval, evalsha, ping, asking and cluster|nodes on its keys: " + denied;
  }
  if (health.detail == reported_) return;
  reported_ = health.detail;
  board_.set_health(std::move(health));
}

}  // namespace armazem::redis
