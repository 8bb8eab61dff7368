#include "service/reader.h"

#include <utility>

namespace armazem {

Task<Result<std::optional<Record>>> Reader::read(const Key& key, Deadline deadline) {
  Task<Result<std::optional<Record>>> found = store_.get(key, deadline);
  if (found.ready()) return Task<Result<std::optional<Record>>>(live_only(found.take_ready()));
  return finish(std::move(found));
}

Task<Result<std::optional<Record>>> Reader::finish(Task<Result<std::optional<Record>>> pending) {
  co_return live_only(co_await std::move(pending));
}

Result<std::optional<Record>> Reader::live_only(Result<std::optional<Record>> found) const {
  if (!found || !*found) return found;
  const Record& record = **found;
  // The wall clock is only asked when something depends on it.
  const bool live = !record.tombstone && (!record.expires_at_ms || record.live_at(time_.wall_ms()));
  if (!live) *found = std::nullopt;
  return found;
}

}  // namespace armazem
