#include "support/redis_cluster.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace armazem::test {
namespace {

constexpr std::string_view password = "p@ss/word:1";  // what a URL has to encode
constexpr std::string_view encoded_password = "p%40ss%2Fword%3A1";

std::optional<std::string> find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string full = folder + "/" + name;
    if (::access(full.c_str(), X_OK) == 0) return full;
  }
  return std::nullopt;
}

bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return free;
}

std::string as_text(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER: return std::to_string(reply.integer);
    case REDIS_REPLY_NIL: return "(nil)";
    case REDIS_REPLY_ERROR: return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: break;
    default: return {reply.str, reply.len};
  }
  std::string all;
  for (std::size_t i = 0; i < reply.elements; ++i) all += (i == 0 ? "" : ",") + as_text(*reply.element[i]);
  return all;
}

}  // namespace

std::optional<std::string> no_redis_server() {
  if (find_program("redis-server")) return std::nullopt;
  return "redis-server is not installed";
}

std::uint16_t free_port() {
  static std::mt19937 random(std::random_device{}());
  while (true) {
    const auto port = static_cast<std::uint16_t>(10'000 + random() % 20'000);
    if (is_free(port)) return port;
  }
}

bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

RedisCluster::RedisCluster(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.primaries + options_.replicas; ++i) {
    Node node;
    node.port = free_port();
    node.bus_port = free_port();
    nodes_.push_back(node);
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    write_configuration(i);
    start(i);
  }
  form();
  wait_until_whole();
}

RedisCluster::~RedisCluster() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) kill(i);
}

std::string RedisCluster::url() const {
  std::string url = "redis://armazem:" + std::string(encoded_password) + "@";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    url += (i == 0 ? "" : ",") + ("127.0.0.1:" + std::to_string(nodes_[i].port));
  }
  return url;
}

void RedisCluster::write_configuration(std::size_t i) const {
  const std::string folder = dir_.sub("node-" + std::to_string(i));
  std::filesystem::create_directory(folder);
  std::ofstream file(folder + "/redis.conf");
  file << "bind 127.0.0.1\nport " << nodes_[i].port << "\ncluster-port " << nodes_[i].bus_port
       << "\ncluster-announce-ip 127.0.0.1\ncluster-enabled yes\ncluster-config-file nodes.conf\ncluster-node-timeout "
       << options_.node_timeout_ms
       << "\ncluster-require-full-coverage no\ncluster-allow-reads-when-down no\ncluster-replica-validity-factor 0\n"
          "save \"\"\nappendonly no\nrepl-diskless-sync-delay 0\nmaxmemory 64mb\nmaxmemory-policy allkeys-lfu\n"
          "logfile log\ndir "
       << folder << "\nuser armazem on >" << password
       << " resetchannels ~armazem:* -@all +get +getrange +set +del +eval +evalsha +ping +cluster|nodes +auth +asking\n";
  for (const std::string& line : options_.more_lines) file << line << "\n";
}

void RedisCluster::start(std::size_t i) {
  const std::string program = find_program("redis-server").value();
  const std::string configuration = dir_.sub("node-" + std::to_string(i)) + "/redis.conf";
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing of it outlives the test
    if (::getppid() != parent) ::_exit(1);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execl(program.c_str(), program.c_str(), configuration.c_str(), static_cast<char*>(nullptr));
    ::_exit(1);
  }
  nodes_[i].pid = pid;
  nodes_[i].paused = false;
  const bool answers = wait_for(
      [&] {
        try {
          return ask(i, {"PING"}) == "PONG";
        } catch (const std::runtime_error&) {
          return false;
        }
      },
      std::chrono::seconds(20));
  if (!answers) throw std::runtime_error("redis-server does not start: " + configuration);
}

void RedisCluster::kill(std::size_t i) {
  Node& node = nodes_[i];
  if (node.pid <= 0) return;
  ::kill(node.pid, SIGKILL);
  ::waitpid(node.pid, nullptr, 0);
  node.pid = -1;
}

void RedisCluster::pause(std::size_t i) {
  ::kill(nodes_[i].pid, SIGSTOP);
  nodes_[i].paused = true;
}

void RedisCluster::resume(std::size_t i) {
  ::kill(nodes_[i].pid, SIGCONT);
  nodes_[i].paused = false;
}

std::string RedisCluster::ask(std::size_t i, const std::vector<std::string>& command) const {
  const timeval patience{2, 0};
  const std::unique_ptr<redisContext, decltype(&::redisFree)> context(
      ::redisConnectWithTimeout("127.0.0.1", nodes_[i].port, patience), &::redisFree);
  if (!context || context->err != 0) throw std::runtime_error("redis node does not accept");
  ::redisSetTimeout(context.get(), patience);
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& argument : command) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  auto* const reply = static_cast<redisReply*>(
      ::redisCommandArgv(context.get(), static_cast<int>(command.size()), texts.data(), sizes.data()));
  if (reply == nullptr) throw std::runtime_error("redis node does not answer");
  const std::string text = as_text(*reply);
  ::freeReplyObject(reply);
  return text;
}

void RedisCluster::form() const {
  constexpr std::size_t slots = 16'384;
  const auto primaries = static_cast<std::size_t>(options_.primaries);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    ask(i, {"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    if (i >= primaries) continue;
    const std::size_t first = slots * i / primaries;
    const std::size_t last = slots * (i + 1) / primaries - 1;
    ask(i, {"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(last)});
  }
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    ask(0, {"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[i].port), std::to_string(nodes_[i].bus_port)});
  }
  for (std::size_t i = primaries; i < nodes_.size(); ++i) {
    const std::string primary = id_of((i - primaries) % primaries);
    const bool follows = wait_for([&] { return ask(i, {"CLUSTER", "REPLICATE", primary}) == "OK"; },
                                  std::chrono::seconds(20));
    if (!follows) throw std::runtime_error("a replica does not find its primary");
  }
}

bool RedisCluster::whole() const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].pid <= 0 || nodes_[i].paused) continue;
    const std::string cluster = ask(i, {"CLUSTER", "INFO"});
    if (cluster.find("cluster_state:ok") == std::string::npos) return false;
    if (cluster.find("cluster_slots_ok:16384") == std::string::npos) return false;
    if (cluster.find("cluster_known_nodes:" + std::to_string(nodes_.size())) == std::string::npos) return false;
    const std::string replication = ask(i, {"INFO", "replication"});
    const bool replica = replication.find("role:slave") != std::string::npos;
    if (replica && replication.find("master_link_status:up") == std::string::npos) return false;
  }
  return true;
}

void RedisCluster::wait_until_whole() const {
  if (!wait_for([&] { return whole(); }, std::chrono::seconds(30))) throw std::runtime_error("the cluster is not whole");
}

std::size_t RedisCluster::primary_of(std::uint16_t slot) const {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].pid <= 0 || nodes_[i].paused) continue;
    std::istringstream lines(ask(i, {"CLUSTER", "NODES"}));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::vector<std::string> parts;
      for (std::string word; words >> word;) parts.push_back(word);
      for (std::size_t p = 8; p < parts.size(); ++p) {
        if (parts[p].front() == '[') continue;
        const auto dash = parts[p].find('-');
        const int first = std::stoi(parts[p]);
        const int last = dash == std::string::npos ? first : std::stoi(parts[p].substr(dash + 1));
        if (slot < first || slot > last) continue;
        const int port = std::stoi(parts[1].substr(parts[1].find(':') + 1));
        for (std::size_t n = 0; n < nodes_.size(); ++n) {
          if (nodes_[n].port == port) return n;
        }
      }
    }
    break;
  }
  throw std::runtime_error("nobody serves slot " + std::to_string(slot));
}

}  // namespace armazem::test
