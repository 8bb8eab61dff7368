// The judge of histories: says whether what clients saw keeps what docs/api.md promises.
//
//   linearizability   strong reads and writes, conditional ones included, per key: exhaustive search (search.h) and a
//                     comparison of versions with real time (version_check.h)
//   sessions          a read that names a version sees nothing older: read-your-writes and monotonic reads for clients
//                     that carry it along
//   staleness         a cached read sees nothing that was replaced longer ago than the time to live
//   validity          every value that is read was written, by a write that did not fail, and under its version
//   the end           every acknowledged write is in the store or under a newer one; every accepted one was decided;
//                     cache and store agree
//
// Sound: what it refuses is a violation, given that the history is what docs/histories.md asks for. An unknown write
// may have happened at any time after its begin, or never. Not being able to tell within the budget is no pass.
//
// Thread rule: `check` may be called from any thread; each keeps its working memory for the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checker/history.h"

namespace armazem::checker {

struct CheckOptions {
  std::uint64_t ttl_us = 60'000'000;  // how long a cache entry may live, jitter included
  std::uint64_t margin_us = 2'000'000;  // beside it: reading and filling take time
  std::uint64_t search_steps_max = 2'000'000;  // per key
  // Whether the end is judged as one of a drained system: then each accepted write must have been decided.
  bool drained = true;
  // Strong operations are judged by the promise, too, that versions of a key increase in the order of application. Off:
  // by values and conditions alone.
  bool versions_order = true;
  // Whether a failing search is narrowed down to few events. Costs some hundred times the search.
  bool explain = true;
};

enum class Violation : std::uint8_t {
  none,
  malformed,  // the history is none: two puts with one value, a read without a level
  invented_value,  // a value was read that nobody wrote
  failed_write_seen,  // a write without effect had one
  read_from_future,  // a value was read before its write began
  version_mismatch,  // one write, two versions; or one version, two writes
  version_order,  // versions contradict real time: a stale strong read, or a write under one that was there before
  not_linearizable,  // no order of the operations explains the answers
  session_stale,  // a session read older than the version it asked for
  cache_stale,  // a cached read older than the time to live allows
  lost_write,  // acknowledged, or accepted, and in the end neither there nor replaced
  applied_twice,  // one write, two applications
  unresolved,  // accepted, and still pending when all was drained
  diverged,  // in the end the cache holds something else than the store
  timed_out,  // the search was given up: not a pass
};

[[nodiscard]] std::string_view name_of(Violation violation) noexcept;

struct Verdict {
  bool ok = true;
  std::string why;  // one sentence, empty when ok
  std::vector<std::size_t> events;  // indexes into History::events that contradict each other
  Violation violation = Violation::none;
  std::uint32_t key = 0;
};

// The first violation found, if any.
[[nodiscard]] Verdict check(const History& history, const CheckOptions& options = {});
// The first violation of each key that has one.
[[nodiscard]] std::vector<Verdict> check_all(const History& history, const CheckOptions& options = {});

}  // namespace armazem::checker
