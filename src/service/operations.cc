#include "service/operations.h"

#include <utility>

namespace armazem {

std::string_view to_string(OperationState::Status status) noexcept {
  switch (status) {
    case OperationState::Status::applied: return "applied";
    case OperationState::Status::superseded: return "superseded";
    case OperationState::Status::pending: return "pending";
    case OperationState::Status::unknown: return "unknown";
  }
  return "unknown";
}

Task<Result<OperationState>> Operations::look_up(const Key& key, Version operation, Deadline deadline) {
  const Result<std::optional<Record>> found = co_await store_.get(key, deadline);
  if (!found) co_return fail(found.error());
  co_return judge(*found, operation);
}

OperationState Operations::judge(const std::optional<Record>& record, const Version& operation) const {
  using Status = OperationState::Status;
  if (record) {
    if (const HistoryEntry* entry = record->history.find(operation.op())) {
      return {Status::applied, entry->version, entry->effect};
    }
  }
  const std::uint64_t now_ms = time_.wall_ms();
  const auto pending_ms = static_cast<std::uint64_t>(options_.pending_max.count());
  if (!record || record->version < operation) {
    const auto ahead_ms = static_cast<std::uint64_t>(options_.ahead_max.count());
    const bool young = operation.ms() + pending_ms >= now_ms && operation.ms() <= now_ms + ahead_ms;
    return {young ? Status::pending : Status::unknown, {}, {}};
  }
  // The same proof as in `apply`: applied versions strictly increase, and nothing older than the retention is purged away
  // unseen.
  const auto history = record->history.entries();
  const auto retention_ms = static_cast<std::uint64_t>(options_.retention.count());
  const bool proved =
      record->history.has_dropped() ? history.front().version <= operation : operation.ms() + retention_ms >= now_ms;
  return {proved ? Status::superseded : Status::unknown, {}, {}};
}

}  // namespace armazem
