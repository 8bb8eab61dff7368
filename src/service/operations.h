// What became of a write, by its version: answered from the record's history.
//
// Thread rule: any thread; stateless.
#pragma once

#include <chrono>

#include "core/limits.h"
#include "core/time_source.h"
#include "ports/store.h"

namespace armazem {

struct OperationState {
  enum class Status : std::uint8_t {
    applied,     // `version` and `effect` say how
    superseded,  // a newer write came first; it was never applied and will not be
    pending,     // may still be on its way
    unknown,     // the history leaves no trace of it either way
  };
  Status status = Status::unknown;
  Version version;                   // applied: under which it stands; it may have been stamped again
  Effect effect = Effect::created;   // applied
};
[[nodiscard]] std::string_view to_string(OperationState::Status status) noexcept;

struct OperationsOptions {
  std::chrono::milliseconds retention = limits::retention_default;
  // How long a write may be on its way: the retention with a queue, else what a request may take.
  std::chrono::milliseconds pending_max{60'000};
  // A stamp further ahead of our clock than any server's may be is none of ours.
  std::chrono::milliseconds ahead_max{60'000};
};

class Operations {
 public:
  // Both must outlive the object.
  Operations(Store& store, const TimeSource& time, OperationsOptions options = {}) noexcept
      : store_(store), time_(time), options_(options) {}

  // `key` must stay alive until the task has ended. Errors are the store's.
  Task<Result<OperationState>> look_up(const Key& key, Version operation, Deadline deadline);

 private:
  [[nodiscard]] OperationState judge(const std::optional<Record>& record, const Version& operation) const;

  Store& store_;
  const TimeSource& time_;
  const OperationsOptions options_;
};

}  // namespace armazem
