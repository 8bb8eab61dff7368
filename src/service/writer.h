// Writes: stamp, hand to the batcher, and stamp again when the store proves that nothing was applied.
//
// Thread rule: any thread.
#pragma once

#include <optional>

#include "core/hybrid_clock.h"
#include "service/batcher.h"
#include "service/op_ids.h"

namespace armazem {

struct WriteRequest {
  Mutation::Kind kind = Mutation::Kind::put;
  Key key;
  Value value;
  Condition condition;
  std::int64_t ttl_seconds = 0;         // 0: lives for ever
  std::optional<OpId> op;               // of a request with an Idempotency-Key; else a random one is drawn
};

struct WriteAnswer {
  enum class Kind { created, replaced, deleted, nothing_to_delete, condition_failed };
  Kind kind = Kind::created;
  Version version;                      // of the write; for condition_failed the live record's, nil when there is none
  bool replayed = false;
};

class Writer {
 public:
  // All must outlive the writer.
  Writer(Batcher& batcher, HybridClock& clock, OpIdSource& ops) noexcept : batcher_(batcher), clock_(clock), ops_(ops) {}

  // Durable when it returns. Errors as in Batcher::submit; overloaded also when other writers kept overtaking this one
  // (nothing was applied).
  Task<Result<WriteAnswer>> write(WriteRequest request, Deadline deadline);

 private:
  Batcher& batcher_;
  HybridClock& clock_;
  OpIdSource& ops_;
};

}  // namespace armazem
