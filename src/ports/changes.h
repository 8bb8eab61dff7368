// ChangeLog: what a store applied, in the order in which watchers are told. Every store of ours keeps one.
//
// Each mutation whose effect is created, replaced or deleted leaves one change, in the very step that applies it: a crash
// can part neither from the other. Replays, failed conditions, superseded and refused mutations, and deletes of nothing
// leave none. Purge of expired records is not a change.
// Order: one, by `position`, the same for everybody who reads. Positions strictly increase and may leave gaps. Of one key
// the order of positions is the order of versions. Once a page has told of everything up to a position, nothing comes to
// lie before it any more.
// Bounded: the oldest changes are dropped beyond the store's bound; a reader behind them is told so (`lost`).
//
// Thread rule: every method may be called from any executor; the returned task resumes its awaiter on the awaiter's own
// executor.
// Errors: as reads of Store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/deadline.h"
#include "core/key.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/task.h"
#include "core/value.h"
#include "core/version.h"

namespace armazem {

struct ChangedValue {
  std::string content_type;
  ValueForm form = ValueForm::bytes;
  std::size_t size = 0;              // of the value, in bytes
  std::optional<std::string> bytes;  // nullopt: larger than limits::change_value_bytes_max
  std::optional<std::uint64_t> expires_at_ms;  // Unix milliseconds

  friend bool operator==(const ChangedValue&, const ChangedValue&) = default;
};

struct Change {
  std::uint64_t position = 0;  // at least 1; at most 2^63 - 1
  Key key;
  Version version;
  std::optional<ChangedValue> value;  // nullopt: the key was deleted

  [[nodiscard]] bool removed() const noexcept { return !value; }
  // What it counts against the bytes of a page.
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    const bool has_bytes = value && value->bytes;
    return sizeof(Change) + key.text().size() + (has_bytes ? value->bytes->size() : 0);
  }
  friend bool operator==(const Change&, const Change&) = default;
};

struct ChangesRequest {
  std::uint64_t after = 0;  // 0: from the first change that there ever was; else a `position` or `next` of this log
  std::size_t limit = 100;  // 1 .. limits::change_page_max
  std::size_t bytes_max = limits::change_page_bytes_max;  // the page ends after the change that reaches it
};

struct ChangePage {
  std::vector<Change> changes;  // in order
  // Where to go on: everything up to here is told. Never before `after`; may lie behind the last change. The same as
  // `after` when there is nothing new (yet), and then as `after` the next time.
  std::uint64_t next = 0;
  // Changes behind `after` are dropped already, or `after` is no position of this log (a database that was put back to an
  // earlier state). Then there are no changes here, and `next` is the oldest position from which nothing is lost.
  bool lost = false;
};

struct ChangeLogState {
  // Names this log: 16 hexadecimal digits, made at random with the log, so no two logs' positions can be mixed up.
  std::string id;
  std::uint64_t oldest = 0;  // the least position to go on from (`after`) without a loss
  std::uint64_t newest = 0;  // everything up to here can be read now: where a watch of what is new begins
};

class ChangeLog {
 public:
  virtual ~ChangeLog() = default;

  // The changes behind `after`, in order. Does not wait for new ones. Sees every apply that had ended before the call,
  // except while a transaction that began earlier may still take a place before it (PostgreSQL, CockroachDB): then it comes
  // with a later page.
  virtual Task<Result<ChangePage>> read_changes(ChangesRequest request, Deadline deadline) = 0;

  virtual Task<Result<ChangeLogState>> change_log_state(Deadline deadline) = 0;
};

}  // namespace armazem
