// The pure function that decides every write. Everything else only carries data to it and from it.
//
// Redelivery, reordering and duplicates are harmless because of the order of its questions; the simulation behind
// docs/adr/0002 shows that each simpler order loses acknowledged writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/mutation.h"
#include "core/record.h"

namespace armazem {

enum class Verdict : std::uint8_t {
  applied,           // `effect` says how
  condition_failed,  // nothing changed; `current` is the record's version, nil when there is no live record
  superseded,        // nothing changed, and proved never to have been applied: may be stamped again above `current`
  indeterminate,     // not newer and no proof: must never be stamped again
  too_old,           // older than the retention and no record left to compare with: must be set aside
  refused,           // never by `apply`: the store itself refuses this very mutation for ever; nothing changed
};
inline constexpr std::size_t verdict_count = 6;

struct Outcome {
  Verdict verdict = Verdict::indeterminate;
  Effect effect = Effect::created;  // only with `applied`
  Version version;                  // only with `applied`: the version under which the operation stands
  Version current;                  // the record's version after this call; nil when there is no record, and with
                                    // `condition_failed` also when it is deleted or expired
  bool replayed = false;            // it had been applied before: a redelivery or a client's retry

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Absence proves nothing about mutations stamped before this wall-clock time, because purge may have removed their
// record. 0 switches the guard off.
struct ApplyGuard {
  std::uint64_t purge_horizon_ms = 0;
};

struct Applied {
  Outcome outcome;
  bool changed = false;  // `record` was replaced by its new state
};

// Decides one mutation and, when it is applied, moves its value into `record`. In this order:
//   1. op id in the history           -> applied, replayed: nothing changes, answered as the first time
//   2. newer than the record, or none -> condition met: applied; not met: condition_failed
//   3. not newer, history proves that it was never applied -> superseded
//   4. otherwise -> indeterminate
// Expiry is judged at the mutation's own stamp, so the result depends on nothing but the arguments.
Applied apply(std::optional<Record>& record, Mutation mutation, ApplyGuard guard);

// Indexes of `mutations` in (key, version) order: the order in which every store applies a batch.
[[nodiscard]] std::vector<std::uint32_t> batch_order(std::span<const Mutation> mutations);

}  // namespace armazem
