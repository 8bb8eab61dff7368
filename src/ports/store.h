// Store: the system of record. Adapters: RocksDB (embedded), PostgreSQL wire protocol (cluster), memory (tests).
//
// Thread rule: every method may be called from any executor; the returned task resumes its awaiter on the awaiter's own
// executor. Arguments that are references or spans must stay alive until the task has ended.
// Durability: when `apply` succeeds, every change it reports as applied survives the loss of the process and of power.
// Deadlines: a call that cannot start before its deadline ends with deadline_exceeded and has had no effect. One that has
// started is allowed to end; an adapter that gives up on a started write says outcome_unknown.
// Errors: overloaded, unavailable and storage_full promise that nothing was done; data_damaged means that stored bytes
// failed their checks and no answer can be given for this key.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/apply.h"
#include "core/deadline.h"
#include "core/key.h"
#include "core/mutation.h"
#include "core/record.h"
#include "core/result.h"
#include "core/task.h"

namespace armazem {

struct ScanRequest {
  std::string prefix;                // empty: all keys
  std::optional<std::string> after;  // keys strictly greater than this one; nullopt: from the start
  std::size_t limit = 100;           // 1 .. limits::scan_entries_max
  std::size_t bytes_max = limits::scan_bytes_max;  // the page ends after the entry that reaches it
  bool keys_only = false;            // values come back empty
  std::uint64_t now_ms = 0;          // records that are deleted or expired at this time are left out
};

struct ScanEntry {
  Key key;
  Record record;
  std::size_t value_bytes = 0;       // the value's size, also when it is left out
};

struct ScanPage {
  std::vector<ScanEntry> entries;    // in key order, bytewise
  // Where to go on: pass it as `after`. Set whenever more may follow, also on an empty page, because a page ends after a
  // bounded number of looked-at records (tombstones included).
  std::optional<std::string> next_after;
};

struct PurgeRequest {
  std::uint64_t before_ms = 0;       // removes records that were deleted, or had expired, before this wall-clock time
  std::size_t limit = 1000;          // looked-at candidates in this step
};

struct PurgeReport {
  std::size_t removed = 0;
  bool more = false;                 // call again
};

struct StoreHealth {
  bool ok = false;
  std::string detail;                // for people: what is wrong, or a short word on what it is
};

class Store {
 public:
  virtual ~Store() = default;

  // The record as it stands, tombstone and expired ones included; nullopt when the key was never written or is purged.
  // Linearizable: sees every apply that had ended before the call.
  virtual Task<Result<std::optional<Record>>> get(const Key& key, Deadline deadline) = 0;

  // Decides every mutation by core `apply`, per key in version order (see `batch_order`), and makes all changes durable in
  // one atomic step before the task ends. outcomes[i] belongs to mutations[i]. Mutations of one key may repeat in a batch.
  // A mutation that the store itself can never take (too large for it, against a rule of the database) is answered as
  // Verdict::refused, and does not fail its batch; then, or when a batch is too large for the store's memory, the batch
  // may become several atomic steps, in the order of `batch_order`.
  // On an error nothing is known to be applied; the code says whether anything may be.
  // Takes ownership, because values move into the records. At most limits::batch_mutations_max mutations.
  virtual Task<Result<std::vector<Outcome>>> apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                   Deadline deadline) = 0;

  // One page of live records. Not a snapshot across pages: a key written meanwhile appears if it lies after the cursor.
  virtual Task<Result<ScanPage>> scan(ScanRequest request, Deadline deadline) = 0;

  // Removes old tombstones and expired records in one small step. Safe beside any other call.
  virtual Task<Result<PurgeReport>> purge(PurgeRequest request, Deadline deadline) = 0;

  // Whether writes would be accepted now. Cheap; for readiness.
  virtual Task<StoreHealth> health(Deadline deadline) = 0;
};

}  // namespace armazem
