// A client of the store that writes down what it asks and what it is answered, for the checker.
//
// Thread rule: one thread each; pool and files are shared.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <unordered_map>

#include "checker/history.h"
#include "faults/history_files.h"
#include "faults/http_connection.h"
#include "faults/key_pool.h"

namespace armazem::faults {

// What all clients of a run share.
struct Run {
  std::string key_prefix;
  std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  std::chrono::microseconds pause{0};  // between two operations of a client, on average
  std::uint32_t clients = 0;
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> next_value{1};
  KeyPool& pool;
  HistoryFiles& files;

  [[nodiscard]] std::uint64_t now_us() const {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count());
  }
  [[nodiscard]] std::string path_of(std::uint32_t key) const { return "/store/" + key_prefix + std::to_string(key); }
};

// The number that stands in a stored value; nobody's number when it is no value of this key.
[[nodiscard]] std::uint64_t value_in(std::string_view body, std::uint32_t key);
[[nodiscard]] Version version_in(std::string_view text);
inline constexpr std::uint64_t foreign_value = ~std::uint64_t{0};

class RecordingClient {
 public:
  RecordingClient(Run& run, std::uint32_t number, std::uint16_t port, std::uint64_t seed);
  // Until the run stops.
  void work();

 private:
  void one_operation();
  void read(const Lease& lease);
  void write(const Lease& lease);
  std::string write_request(checker::Event& event, const Lease& lease);
  void add_condition(checker::Event& event, const Lease& lease, std::string& headers);
  // Asks once, or again and again with the Idempotency-Key; fills in the outcome. The name of the operation, where
  // known.
  Version attempt_all(checker::Event& event, const std::string& request, bool may_repeat);
  void note(checker::Event& event, const Lease& lease, const Version& operation);
  [[nodiscard]] bool chance(unsigned percent) { return random_() % 100 < percent; }

  Run& run_;
  std::uint32_t id_;
  std::mt19937_64 random_;
  HttpConnection connection_;
  std::unordered_map<std::uint32_t, Version> tokens_;  // newest version that this client has seen, per key
};

}  // namespace armazem::faults
