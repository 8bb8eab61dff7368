// Reads. Without a cache every read is strong: it goes to the store, which is linearizable.
//
// Thread rule: any thread; stateless.
#pragma once

#include <optional>

#include "core/time_source.h"
#include "ports/store.h"

namespace armazem {

class Reader {
 public:
  // Both must outlive the reader.
  Reader(Store& store, const TimeSource& time) noexcept : store_(store), time_(time) {}

  // The live record; nullopt when the key is absent, deleted or expired. The task is ready, without a coroutine frame,
  // when the store has the record in memory. `key` must stay alive until the task has ended.
  Task<Result<std::optional<Record>>> read(const Key& key, Deadline deadline);

 private:
  Task<Result<std::optional<Record>>> finish(Task<Result<std::optional<Record>>> pending);
  [[nodiscard]] Result<std::optional<Record>> live_only(Result<std::optional<Record>> found) const;

  Store& store_;
  const TimeSource& time_;
};

}  // namespace armazem
