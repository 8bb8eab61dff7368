// What one seed means: the size of the world, its settings, what clients do, and what goes wrong when. Every operation and
// every fault is derived by itself, so that one can be left out without changing the others: that is how a failing run is
// made small.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checker/history.h"
#include "service/enqueuer.h"
#include "service/operations.h"
#include "service/reader.h"
#include "service/writer.h"
#include "simulation/cache_server.h"
#include "simulation/world.h"
#include "worker/worker.h"

namespace armazem::sim {

// One operation of a client, tried again with its idempotency key when its fate is not known.
struct Operation {
  enum class Wish : std::uint8_t { none, if_absent, if_present, if_seen };
  std::uint32_t client = 0;
  std::uint32_t key = 0;
  checker::Kind kind = checker::Kind::get;
  checker::Level level = checker::Level::strong;
  Wish condition = Wish::none;
  std::uint64_t value = 0;  // of a put, unique
  Microseconds pause = 0;   // before it
  std::size_t api = 0;      // the first one that is asked
  unsigned tries = 1;       // more than one: with an idempotency key
  bool with_token = false;  // a write that names what its client has seen
  bool respond_async = false;
  bool patient = false;     // Prefer: wait
};

struct Fault {
  enum class Kind : std::uint8_t {
    crash_api, crash_worker, pause_api, pause_worker, clock_step, clock_far,
    store_outage, store_power, store_hang, store_slow, store_conflicts, store_answer_lost, store_request_lost, store_cut,
    cache_outage, cache_failover, cache_restart, cache_eviction, cache_slow, cache_answer_lost, cache_cut,
    queue_blocked, queue_publisher_lost, queue_consumer_lost, queue_failover, queue_nack, queue_unroutable,
    queue_confirm_lost, queue_publish_lost, queue_reply_lost, queue_duplicate, queue_reorder, queue_slow, queue_cut,
    client_answer_lost,
    count
  };
  Kind kind = Kind::crash_api;
  Microseconds at = 0;
  std::uint64_t step = 0;    // not 0: of a crash, the step at which the process dies, instead of a time
  std::size_t process = 0;   // which API, which worker
  bool of_worker = false;    // of a link's fault
  Microseconds span = 0;     // how long it lasts
  std::uint64_t amount = 0;  // how many calls, how many changes, how many milliseconds
  std::int64_t by_ms = 0;    // of a clock
};
[[nodiscard]] std::string_view name_of(Fault::Kind kind) noexcept;

struct Settings {
  std::size_t apis = 2;
  std::size_t workers = 2;
  std::uint32_t clients = 2;
  std::uint32_t keys = 1;
  std::size_t partitions = 1;
  bool with_cache = true;
  bool with_queue = true;
  std::vector<std::int64_t> api_clock_ms;
  std::vector<std::int64_t> worker_clock_ms;
  std::size_t prefetch = 8;
  CacheOptions cache;
  EnqueuerOptions enqueuer;
  BatcherOptions batcher;
  WriterOptions writer;
  ReaderOptions reader;
  ApplierOptions applier;
  WorkerOptions worker;
  OperationsOptions operations;
  std::chrono::milliseconds purge_interval{500};
  Microseconds client_patience = 2'000'000;
};

struct Plan {
  std::uint64_t seed = 0;
  Settings settings;
  std::vector<Operation> operations;  // of all clients, in the order of each
  std::vector<Fault> faults;
};

// `size` 1: a short run; larger: as many times the operations and faults.
[[nodiscard]] Plan make_plan(std::uint64_t seed, unsigned size);

[[nodiscard]] std::string describe(const Operation& operation);
[[nodiscard]] std::string describe(const Fault& fault);
[[nodiscard]] std::string describe(const Settings& settings);

}  // namespace armazem::sim
