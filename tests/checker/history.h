// What clients saw of a store: the input of the checker. Recorded by the simulation and by the fault campaign; as a
// file: docs/histories.md.
//
// All times are microseconds of one monotonic clock. Every key is absent when its history begins, and no write has a
// time to live.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "core/version.h"

namespace armazem::checker {

enum class Kind : std::uint8_t { put, remove, get };

enum class Level : std::uint8_t { cached, session, strong };

enum class Outcome : std::uint8_t {
  ok,  // a read that answered; a write that was acknowledged as applied (200, 201, 204; 404 of a delete)
  failed,  // certainly no effect: 4xx, 503, a refused connection. A 412 also tells what the key held.
  unknown,  // 504, 502, 500, no answer: it may have been applied, may still be, or never
  accepted,  // 202: will be decided, applied or superseded
};

// What became of an accepted or unknown write, asked after the run.
enum class Resolution : std::uint8_t {
  none,  // not asked, or not known
  applied,  // under Event::version, which is then that of the application
  superseded,  // never applied and never will be
  pending,  // may still be on its way
};

inline constexpr std::uint64_t never_returned = std::numeric_limits<std::uint64_t>::max();

// One operation of one client: several attempts with one Idempotency-Key are one event, from the first attempt's begin
// to the last one's end, and its outcome is unknown when the fate of any attempt is.
struct Event {
  std::uint32_t client = 0;
  std::uint32_t key = 0;
  Kind kind = Kind::get;
  Level level = Level::strong;  // of a get
  std::uint64_t invoked_us = 0;
  std::uint64_t returned_us = never_returned;
  // Of a put: unique among all puts of its key, not 0. Of a get: what was read, 0 when absent.
  std::uint64_t value = 0;
  // Of the write (with ok and accepted as it was answered), or of what was read; of a 412 the current one. Nil when not
  // known. A write that was sent several times and accepted leaves it nil: it may be applied under any of its stamps.
  Version version;
  Version min_version;  // of a get at session level: what was asked for
  // A write with a condition: If-None-Match: *, else If-Match: version, else If-Match: *.
  bool conditional = false;
  std::optional<Version> if_match;
  bool if_none_match = false;
  Outcome outcome = Outcome::unknown;
  std::uint16_t status = 0;  // 0: not known, then nothing is concluded from it
  Resolution resolution = Resolution::none;
};

// One write as the store applied it.
struct AppliedWrite {
  Version version;
  std::uint64_t value = 0;  // of a put; 0 of a delete
};

// What one key held in the end, when everything was healed, the queue was drained and no client was at work any more.
struct FinalState {
  std::uint32_t key = 0;
  std::uint64_t store_value = 0;  // 0: absent
  Version store_version;  // nil when not known
  bool in_cache = false;  // whether the cache has an entry; if not, the next two mean nothing
  std::uint64_t cache_value = 0;  // 0: the cache says that it is absent
  Version cache_version;  // nil when not known
  bool applied_known = false;  // whether `applied` is complete
  std::vector<AppliedWrite> applied;  // oldest first
};

struct History {
  std::vector<Event> events;  // in any order
  std::vector<FinalState> finals;  // at most one per key; keys without one are not judged by their end
};

}  // namespace armazem::checker
