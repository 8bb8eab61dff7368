// One loop's way into the cluster: sends a command to the node that serves its key, and follows where the nodes point.
//
// Thread rule: the loop's own thread.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/link.h"
#include "adapters/redis/scripts.h"
#include "adapters/redis/topology.h"
#include "adapters/redis/view_board.h"

namespace armazem::redis {

// GET, or a script, on one key. What it refers to stays alive, and in its place, until the call has ended.
struct Request {
  std::string_view name;  // the key as the server sees it
  const Script* script = nullptr;
  std::array<std::string_view, 3> arguments{};
  std::size_t argument_count = 0;
  // Encoded entries, headers and leases among the arguments: each attempt writes the epoch of its shard into them.
  std::array<std::string*, 2> stamped{};
  std::size_t stamped_count = 0;
  // Set by the call: the epoch of the shard that was asked last, and the view that it was taken from.
  std::uint64_t epoch = 0;
  std::uint64_t generation = 0;
};

class ClusterClient {
 public:
  // All must outlive the client. `all_nodes`: also keep a connection to replicas and seeds, for asking for views.
  ClusterClient(net::IoLoop& loop, const RedisOptions& options, net::Resolver& resolver, const TlsContext* tls,
                ViewBoard& board, bool all_nodes);
  ~ClusterClient();
  ClusterClient(const ClusterClient&) = delete;
  ClusterClient& operator=(const ClusterClient&) = delete;

  // Begins its work in the background; on the loop.
  Task<void> start();
  // Ends it; no call may be running.
  Task<void> close();

  // Any reply that is an answer: nil, a value, an integer, OOM and other errors of the command itself. Errors: unavailable,
  // overloaded, deadline_exceeded.
  Task<Result<Reply>> call(Request& request, Deadline deadline);

  // After a call: may something of that epoch be served? It must be the epoch that was asked for, and still be the key's if
  // the view has changed meanwhile. (While the view has not, a redirection knows better than it.)
  [[nodiscard]] bool is_current(const Request& request, std::uint64_t epoch);

  [[nodiscard]] Counters& counters() noexcept { return counters_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  [[nodiscard]] net::IoLoop& loop() noexcept { return loop_; }

 private:
  struct Route {
    Link* link = nullptr;
    std::uint64_t epoch = 0;
    bool asking = false;
  };
  Task<Result<Reply>> call_routed(Request& request, Deadline deadline);
  Task<Result<Route>> route(std::string_view name, Deadline deadline);
  Task<Result<Route>> follow_moved(std::string_view reply, const Route& from, Deadline deadline);
  Task<void> wait_for_round(std::uint64_t after, Deadline deadline);
  Task<void> back_off(int attempt, Deadline deadline);
  [[nodiscard]] std::optional<net::HostPort> target_of(std::string_view reply, const Route& from) const;

  Link& link_to(const net::HostPort& node);
  void adopt_view();
  void retire_unused(MonotonicTime now);

  Task<void> tick_until_closed();
  void tick(MonotonicTime now);
  void resume_round_waiters(MonotonicTime now);

  Task<void> refresh();
  Task<void> ask_for_view(Link& link, std::vector<std::vector<NodeLine>>& answers);
  void publish(std::span<const std::vector<NodeLine>> answers);
  void report_health();

  net::IoLoop& loop_;
  const RedisOptions& options_;
  ViewBoard& board_;
  const bool all_nodes_;
  Counters counters_;
  std::mt19937_64 random_{std::random_device{}()};
  TaskScope scope_;
  LinkEnvironment environment_;

  std::map<net::HostPort, std::unique_ptr<Link>> links_;
  std::shared_ptr<const Topology> view_;
  std::uint64_t generation_ = 0;
  std::vector<Link*> primaries_;  // of view_, in the order of its shards

  struct RoundWaiter {
    std::coroutine_handle<> waiting;
    std::uint64_t after;
    MonotonicTime give_up;
  };
  std::vector<RoundWaiter> round_waiters_;

  bool closing_ = false;
  bool refreshing_ = false;
  MonotonicTime refreshed_at_{};
  MonotonicTime refresh_due_{};
  std::string reported_;
};

}  // namespace armazem::redis
