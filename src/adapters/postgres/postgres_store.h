// Store on PostgreSQL's wire protocol, by libpq: CockroachDB, or PostgreSQL. docs/sql.md has every statement.
//
// Threads: none of its own, except one that resolves names. Connections belong to the I/O loops of the given group; a get
// is answered on the caller's loop, another call on the loop with the least to do. A caller that runs on none of the loops
// uses the first, by a hand-over there and back.
// Durability: `apply` answers after the database has committed. On PostgreSQL a session whose server defaults to
// synchronous_commit=off raises it to on; fsync=off there, or a CockroachDB below its replication factor, is the
// operator's decision and breaks the promise.
// Retries: serialization failures, lost connections and going-away servers are retried, with random pauses, until the
// deadline. A commit whose answer was lost is repeated too, which is safe because `apply` knows every mutation by its op
// id; if the deadline comes first the answer is outcome_unknown. Before any COMMIT was sent it is deadline_exceeded.
// A deadline is noticed up to 50 ms late.
// Down: the store may be opened while no server answers. Calls are then refused at once as unavailable, with the reason,
// until a server is reached, which is tried by itself. The first connection creates the tables.
// Bounds: connections and waiting calls are bounded (overloaded). A batch that the database has no memory for is halved.
// Closing: calls that wait or read are failed, writes with the server have two seconds to end (then outcome_unknown).
#pragma once

#include <memory>

#include "adapters/postgres/figures.h"
#include "adapters/postgres/postgres_options.h"
#include "core/time_source.h"
#include "net/loop_group.h"
#include "ports/changes.h"
#include "ports/store.h"

namespace armazem {

class PostgresStore final : public Store, public ChangeLog {
 public:
  // invalid_argument: the URL, with no word of it in the message. Waits for nothing: what becomes of the connections says
  // `health`. `loops` and `time` must outlive the store. Not from a loop.
  static Result<std::unique_ptr<PostgresStore>> open(const PostgresOptions& options, net::LoopGroup& loops,
                                                     const TimeSource& time);
  // Not from a loop. Every call must have been awaited or be on its way.
  ~PostgresStore() override;

  Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) override;
  Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                           Deadline deadline) override;
  Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) override;
  Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) override;
  Task<Result<ChangePage>> read_changes(ChangesRequest request, Deadline deadline) override;
  Task<Result<ChangeLogState>> change_log_state(Deadline deadline) override;
  // Asks for a key that cannot exist; also not ok for some seconds after a write found the disk full.
  Task<StoreHealth> health(Deadline deadline) override;

  // From any thread.
  [[nodiscard]] PostgresFigures figures() const;

 private:
  struct Parts;
  explicit PostgresStore(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace armazem
