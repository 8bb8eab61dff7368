// Our own processes, put together as src/app/node.cc and src/app/worker_node.cc do it, on simulated tiers. One object is one
// life: after a crash it is forgotten as it stands, and a new one begins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/hybrid_clock.h"
#include "service/applier.h"
#include "service/batcher.h"
#include "service/enqueuer.h"
#include "service/op_ids.h"
#include "service/operations.h"
#include "service/purger.h"
#include "service/reader.h"
#include "service/writer.h"
#include "simulation/broker.h"
#include "simulation/cache_server.h"
#include "simulation/plan.h"
#include "simulation/store_server.h"
#include "worker/worker.h"

namespace armazem::sim {

// The servers that are not ours.
struct Tiers {
  StoreServer store;
  CacheServer cache;
  Broker broker;
};

// One HTTP request and its answer, as far as they matter here.
struct Request {
  checker::Kind kind = checker::Kind::get;
  checker::Level level = checker::Level::strong;
  Key key;
  std::uint64_t value = 0;
  Condition condition;
  Version token;                // Armazem-Min-Version
  std::string idempotency_key;  // empty: none
  bool respond_async = false;
  bool patient = false;
};

struct Response {
  std::uint16_t status = 0;  // 0: no answer came
  bool refused = false;      // no answer, because nobody listened: certainly no effect
  Version version;           // of the write, of what was read, or with 412 the current one
  std::uint64_t value = 0;
  bool from_cache = false;
  bool replayed = false;
};

class Api {
 public:
  Api(World& world, Tiers& tiers, const Settings& settings, std::string name, std::int64_t clock_ahead_ms);

  // Serves one request; the answer goes to `answer`, unless the process dies before.
  void serve(Request request, Rpc<Response>& answer);
  Task<Result<OperationState>> look_up(const Key& key, Version operation);
  // Ends its connections: clients that wait learn that no answer will come.
  void cut_clients();
  void add_figures();

  Process process;
  SimStore store;
  SimCache cache;
  SimPublisher publisher;
  Link clients;
  HybridClock clock;

 private:
  class OpIds final : public OpIdSource {
   public:
    explicit OpIds(World& world) : world_(world) {}
    OpId next() override { return OpId(world_.random.next()); }

   private:
    World& world_;
  };

  Task<void> answer(Request request, Rpc<Response>& to);
  Task<Response> read(const Request& request);
  Task<Response> write(const Request& request);
  Task<void> chores();

  World& world_;
  const Settings& settings_;
  OpIds ops_;
  Applier applier_;
  Batcher batcher_;
  std::optional<Enqueuer> enqueuer_;
  Reader reader_;
  Writer writer_;
  Operations operations_;
  Purger purger_;
  std::vector<Rpc<Response>*> open_;
};

class WorkerProcess {
 public:
  WorkerProcess(World& world, Tiers& tiers, const Settings& settings, std::string name, std::int64_t clock_ahead_ms);
  void add_figures();

  Process process;
  SimStore store;
  SimCache cache;
  SimConsumer consumer;

 private:
  Task<void> purge();

  World& world_;
  const Settings& settings_;
  Applier applier_;
  Worker worker_;
  Purger purger_;
};

}  // namespace armazem::sim
