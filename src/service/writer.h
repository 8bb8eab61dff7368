// Writes: stamp, send, and stamp again when the store proves that nothing was applied.
//
// Two roads. Direct: the batcher's own transaction. By the queue, where there is one: published with a confirm, applied by
// a worker, answered by its reply; whenever the queue does not do its part, the same mutation (same version, same op id)
// goes the direct road too, and should the queued copy arrive later, it is 'already applied'. Conditional writes always go
// directly, because a condition is decided once, while the client waits. So do, for a while, writes of keys whose records
// are far ahead of this server's clock: their stamps are overtaken before they are sent, and once eight newer writes have
// filled the record's history, what the queue answers is `indeterminate`, while a fresh write of the direct road, which has
// no second copy, may still be stamped again.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <optional>

#include "core/hybrid_clock.h"
#include "service/batcher.h"
#include "service/enqueuer.h"
#include "service/op_ids.h"

namespace armazem {

struct WriteRequest {
  Mutation::Kind kind = Mutation::Kind::put;
  Key key;
  Value value = {};
  Condition condition = {};
  std::int64_t ttl_seconds = 0;  // 0: lives for ever
  std::optional<OpId> op = {};  // of a request with an Idempotency-Key; else a random one is drawn
  bool respond_async = false;  // Prefer: respond-async: do not wait for the decision
  std::optional<std::chrono::seconds> wait = {};  // Prefer: wait=N
};

struct WriteAnswer {
  enum class Kind {
    created,
    replaced,
    deleted,
    nothing_to_delete,
    condition_failed,
    accepted,  // durable in the queue; workers will decide it
  };
  Kind kind = Kind::created;
  Version version;  // of the write; for condition_failed the live record's, nil when there is none
  bool replayed = false;
};

struct WriteResult {
  Version operation;  // names the write, whatever became of it: its last stamp
  Result<WriteAnswer> answer;
};

struct WriterOptions {
  std::chrono::milliseconds queue_wait{5'000};  // for the decision, before a write is answered as accepted
  std::chrono::milliseconds store_timeout{10'000};  // of the direct road, from its begin
  std::chrono::milliseconds ahead_for{60'000};  // how long a key that was far ahead goes directly
};

class Writer {
 public:
  // All must outlive the writer; `queue` may be null.
  Writer(Batcher& batcher, Enqueuer* queue, HybridClock& clock, OpIdSource& ops, const TimeSource& time,
         WriterOptions options = {}) noexcept
      : batcher_(batcher), queue_(queue), clock_(clock), ops_(ops), time_(time), options_(options) {}

  // Durable when it returns without an error. Errors as in Batcher::submit; overloaded also when other writers kept
  // overtaking this one (nothing was applied). outcome_unknown: neither applied nor queued for certain.
  Task<WriteResult> write(WriteRequest request);

  // Brings a record back under the version that it had, by the direct road: durable when it returns without an error.
  // `applied` unless the key holds something newer (`superseded` or `indeterminate`), which then stays.
  Task<Result<Outcome>> restore(Mutation mutation);

 private:
  struct Decision {
    bool accepted = false;  // durable in the queue, not decided; `outcome` says nothing
    bool by_queue = false;  // a copy may still be on its way through the queue
    Result<Outcome> outcome = Outcome{};
  };
  Task<Decision> send(const Mutation& mutation, const WriteRequest& request, Enqueuer::Patience waiting);
  Task<Result<Outcome>> send_directly(Mutation mutation, const WriteRequest& request);
  void learn(const Key& key, const Version& current);
  [[nodiscard]] bool is_ahead(const Key& key);
  [[nodiscard]] std::atomic<MonotonicClock::rep>& ahead_slot(const Key& key);
  [[nodiscard]] Enqueuer::Patience patience(const WriteRequest& request) const;

  Batcher& batcher_;
  Enqueuer* const queue_;
  HybridClock& clock_;
  OpIdSource& ops_;
  const TimeSource& time_;
  const WriterOptions options_;
  // Until when, by a hash of the key: keys that share a slot only share a road.
  std::array<std::atomic<MonotonicClock::rep>, 256> ahead_until_{};
};

}  // namespace armazem
