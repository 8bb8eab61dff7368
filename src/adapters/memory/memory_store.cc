#include "adapters/memory/memory_store.h"

#include <algorithm>

#include "adapters/changes.h"
#include "adapters/request_check.h"
#include "adapters/retention.h"

namespace armazem {
namespace {

template <class T>
Task<Result<T>> answer(Result<T> result) {
  return Task<Result<T>>(std::move(result));
}

}  // namespace

MemoryStore::MemoryStore(const TimeSource& time, std::size_t changes_kept)
    : time_(time), changes_kept_(changes_kept), log_id_(make_change_log_id()) {}

Task<Result<std::optional<Record>>> MemoryStore::get(const Key& key, Deadline deadline) {
  if (deadline.expired(time_.now())) return answer<std::optional<Record>>(too_late("the read"));
  const MutexLock lock(mutex_);
  const auto found = records_.find(key);
  if (found == records_.end()) return answer<std::optional<Record>>(std::nullopt);
  return answer<std::optional<Record>>(found->second);
}

Task<Result<std::vector<Outcome>>> MemoryStore::apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                      Deadline deadline) {
  if (auto checked = check_request(mutations); !checked) return answer<std::vector<Outcome>>(fail(checked.error()));
  if (deadline.expired(time_.now())) return answer<std::vector<Outcome>>(too_late("the write"));
  const MutexLock lock(mutex_);
  std::vector<Outcome> outcomes(mutations.size());
  for (const std::uint32_t i : batch_order(mutations)) {
    const Key key = mutations[i].key;
    const auto found = records_.find(key);
    std::optional<Record> record;
    if (found != records_.end()) record = found->second;
    const Applied applied = armazem::apply(record, std::move(mutations[i]), guard);
    if (leaves_change(applied.outcome)) log(key, *record);
    if (applied.changed) records_.insert_or_assign(key, std::move(*record));
    outcomes[i] = applied.outcome;
  }
  return answer<std::vector<Outcome>>(std::move(outcomes));
}

Task<Result<ScanPage>> MemoryStore::scan(ScanRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return answer<ScanPage>(fail(checked.error()));
  if (deadline.expired(time_.now())) return answer<ScanPage>(too_late("the read"));
  const MutexLock lock(mutex_);
  ScanPage page;
  std::size_t bytes = 0;
  for (const auto& [key, record] : records_) {
    const std::string& text = key.text();
    if (!text.starts_with(request.prefix) || (request.after && text <= *request.after)) continue;
    if (page.entries.size() == request.limit || bytes >= request.bytes_max) return answer<ScanPage>(std::move(page));
    page.next_after = text;
    if (!record.live_at(request.now_ms)) continue;
    page.entries.push_back({key, record, record.value.bytes.size()});
    if (request.keys_only) page.entries.back().record.value.bytes.clear();
    bytes += text.size() + page.entries.back().record.value.bytes.size();
  }
  page.next_after.reset();
  return answer<ScanPage>(std::move(page));
}

Task<Result<PurgeReport>> MemoryStore::purge(PurgeRequest request, Deadline deadline) {
  if (deadline.expired(time_.now())) return answer<PurgeReport>(too_late("the write"));
  const MutexLock lock(mutex_);
  PurgeReport report;
  for (auto at = records_.begin(); at != records_.end();) {
    const auto start_ms = retention_start_ms(at->second);
    if (!start_ms || *start_ms >= request.before_ms) {
      ++at;
      continue;
    }
    if (report.removed == request.limit) {
      report.more = true;
      break;
    }
    at = records_.erase(at);
    ++report.removed;
  }
  return answer<PurgeReport>(report);
}

Task<StoreHealth> MemoryStore::health(Deadline) { return Task<StoreHealth>(StoreHealth{true, "memory"}); }

void MemoryStore::log(const Key& key, const Record& record) {
  changes_.push_back(make_change(++last_position_, key, record));
  changes_bytes_ += changes_.back().size_bytes();
  while (changes_.size() > changes_kept_ || changes_bytes_ > limits::change_log_bytes_max) {
    changes_bytes_ -= changes_.front().size_bytes();
    changes_.pop_front();
  }
}

Task<Result<ChangePage>> MemoryStore::read_changes(ChangesRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return answer<ChangePage>(fail(checked.error()));
  if (deadline.expired(time_.now())) return answer<ChangePage>(too_late("the read"));
  const MutexLock lock(mutex_);
  const std::uint64_t dropped = last_position_ - changes_.size();
  ChangePage page;
  if (request.after < dropped || request.after > last_position_) {
    page.next = dropped;
    page.lost = true;
    return answer<ChangePage>(std::move(page));
  }
  std::size_t bytes = 0;
  page.next = request.after;
  for (std::size_t i = request.after - dropped; i < changes_.size(); ++i) {
    if (page.changes.size() == request.limit || bytes >= request.bytes_max) break;
    page.changes.push_back(changes_[i]);
    page.next = changes_[i].position;
    bytes += changes_[i].size_bytes();
  }
  return answer<ChangePage>(std::move(page));
}

Task<Result<ChangeLogState>> MemoryStore::change_log_state(Deadline deadline) {
  if (deadline.expired(time_.now())) return answer<ChangeLogState>(too_late("the read"));
  const MutexLock lock(mutex_);
  return answer<ChangeLogState>(ChangeLogState{log_id_, last_position_ - changes_.size(), last_position_});
}

}  // namespace armazem
