// A Redis Cluster of its own for a test: three primaries and three replicas on free ports, in a temporary directory,
// without anything on disk. Its nodes can be killed, paused and started again. Ends with the test's process.
//
// Thread rule: one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/temp_dir.h"

namespace armazem::test {

// Why there can be no cluster here; nullopt when there can.
[[nodiscard]] std::optional<std::string> no_redis_server();

struct RedisClusterOptions {
  int primaries = 3;
  int replicas = 3;
  int node_timeout_ms = 1'500;
  std::vector<std::string> more_lines;  // of every node's configuration
};

class RedisCluster {
 public:
  using Options = RedisClusterOptions;

  // Ready: all slots served, all replicas in step.
  explicit RedisCluster(Options options = {});
  ~RedisCluster();
  RedisCluster(const RedisCluster&) = delete;
  RedisCluster& operator=(const RedisCluster&) = delete;

  // For the user that the cache is meant to have: its own keys and the commands it needs, no more.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] std::uint16_t port(std::size_t node) const { return nodes_[node].port; }
  [[nodiscard]] bool runs(std::size_t node) const { return nodes_[node].pid > 0; }

  // As an administrator. The reply as text: bulk and status as they are, integers in decimal, errors as "-TEXT", nil as
  // "(nil)", arrays with a comma between. Throws when the node does not answer within two seconds.
  std::string ask(std::size_t node, const std::vector<std::string>& command) const;

  void kill(std::size_t node);  // SIGKILL
  void pause(std::size_t node);
  void resume(std::size_t node);
  void start(std::size_t node);  // again, with the same port and identity, empty

  [[nodiscard]] std::string id_of(std::size_t node) const { return ask(node, {"CLUSTER", "MYID"}); }
  // Which node serves the slot, in the eyes of the first that runs and is not paused.
  [[nodiscard]] std::size_t primary_of(std::uint16_t slot) const;
  // Every node that runs sees all slots served, and replicas follow. Throws after half a minute.
  void wait_until_whole() const;

 private:
  struct Node {
    std::uint16_t port = 0;
    std::uint16_t bus_port = 0;
    pid_t pid = -1;
    bool paused = false;
  };
  void write_configuration(std::size_t node) const;
  void form() const;
  [[nodiscard]] bool whole() const;

  const Options options_;
  TempDir dir_;
  std::vector<Node> nodes_;
};

// Below the range of outgoing connections, so that none of those takes it while a node is away.
[[nodiscard]] std::uint16_t free_port();

// Polls until it is so. False after `patience`.
bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds patience);

}  // namespace armazem::test
