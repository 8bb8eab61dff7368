// The database, and the store adapter of one process in front of it. A transaction takes effect at one instant between its
// request and its answer, as in a serializable database; which instant, and whether the answer arrives, is chance.
#pragma once

#include <vector>

#include "checker/history.h"
#include "ports/store.h"
#include "simulation/link.h"

namespace armazem::sim {

class StoreServer {
 public:
  explicit StoreServer(World& world) : world_(world) {}

  // What one key holds and all that was ever applied to it.
  struct Row {
    Key key;
    std::optional<Record> record;
    std::vector<checker::AppliedWrite> applied;
    std::vector<OpId> decided;    // operations that were decided, whatever came out
    std::vector<OpId> overtaken;  // operations that were told so
  };
  [[nodiscard]] Row& row(const Key& key);
  [[nodiscard]] std::vector<Row>& rows() noexcept { return rows_; }

  [[nodiscard]] std::vector<Outcome> commit(std::vector<Mutation> mutations, ApplyGuard guard);
  [[nodiscard]] PurgeReport purge(PurgeRequest request);

  // The power of the server fails. What is committed stays, but for what a planted bug has answered too early.
  void lose_power();

  Microseconds down_until = 0;     // connections are refused
  Microseconds hangs_until = 0;    // connections are taken, nothing is answered
  Microseconds conflicts_until = 0;

 private:
  struct Undo {
    Microseconds at;
    Key key;
    std::optional<Record> record;
    std::size_t applied;
  };
  World& world_;
  std::vector<Row> rows_;
  std::vector<Undo> not_durable_;  // only with a planted bug
};

class SimStore final : public Store {
 public:
  SimStore(StoreServer& server, World& world, Process& process) : link{world}, server_(server), world_(world), process_(process) {}

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard, Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<StoreHealth> health(Deadline deadline) override;

  Link link;

 private:
  // Runs `execute` at the server and brings back what it returns. `writes`: what is not answered may have happened.
  template <class T, class Execute>
  Task<Result<T>> call(Execute execute, Deadline deadline, bool writes);

  StoreServer& server_;
  World& world_;
  Process& process_;
};

// Values of simulated clients are numbers in text.
[[nodiscard]] std::uint64_t number_of(const Value& value) noexcept;

}  // namespace armazem::sim
