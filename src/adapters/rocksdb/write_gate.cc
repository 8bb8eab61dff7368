#include "adapters/rocksdb/write_gate.h"

#include <algorithm>

#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

constexpr std::chrono::milliseconds backoff_first{100};
constexpr std::chrono::milliseconds backoff_max{5000};

// Called inside RocksDB with its mutex held: only notes what happened.
class FaultListener final : public rocksdb::EventListener {
 public:
  explicit FaultListener(std::shared_ptr<FaultBoard> board) : board_(std::move(board)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    // Softer ones stop compaction for a while, not writes.
    if (error->severity() < rocksdb::Status::kHardError) return;
    board_->raise(to_error(*error, "the database stopped writing"));
  }

  // RocksDB would look for room every few seconds by itself, and answer our Resume with 'busy' meanwhile.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::shared_ptr<FaultBoard> board_;
};

tl::unexpected<Error> refuse(Error error) {
  // Whatever stopped the database, this write was not begun: that is unavailable, or storage_full, and nothing else.
  if (error.code != ErrorCode::storage_full) error.code = ErrorCode::unavailable;
  return fail(std::move(error));
}

Error disk_low(DiskSpace& disk) {
  return {ErrorCode::storage_full, "no room on the data disk: " + std::to_string(disk.free_bytes() >> 20) +
                                       " MiB free, " + std::to_string(disk.reserve_bytes() >> 20) +
                                       " MiB are kept in reserve"};
}

}  // namespace

void FaultBoard::raise(Error error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  raised_.store(true, std::memory_order_release);
}

void FaultBoard::clear() {
  const std::lock_guard lock(mutex_);
  error_.reset();
  raised_.store(false, std::memory_order_release);
}

std::optional<Error> FaultBoard::current() const {
  if (!raised()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return error_;
}

std::shared_ptr<rocksdb::EventListener> make_fault_listener(std::shared_ptr<FaultBoard> board) {
  return std::make_shared<FaultListener>(std::move(board));
}

WriteGate::WriteGate(std::shared_ptr<FaultBoard> board, DiskSpace& disk, const TimeSource& time,
                     WriteCounters& counters)
    : board_(std::move(board)), disk_(disk), time_(time), counters_(counters), backoff_(backoff_first) {}

Result<void> WriteGate::admit(rocksdb::DB& db) {
  if (disk_.low()) return refuse(disk_low(disk_));
  if (!board_->raised()) return {};
  if (!recovery_due()) return refuse(board_->current().value_or(Error{}));
  return recover(db);
}

Error WriteGate::failed(const rocksdb::Status& status) {
  count(counters_.failures);
  Error error = to_error(status, "writing a batch");
  board_->raise(error);
  error.code = ErrorCode::outcome_unknown;
  return error;
}

std::optional<Error> WriteGate::trouble() const {
  if (disk_.low()) return disk_low(disk_);
  return board_->current();
}

bool WriteGate::recovery_due() const {
  return board_->raised() && time_.now().time_since_epoch().count() >= next_attempt_.load(std::memory_order_relaxed);
}

Result<void> WriteGate::recover(rocksdb::DB& db) {
  // Cleared first: an error that comes up meanwhile must not be wiped out after it. Resume answers OK even when the
  // flush that belongs to it failed in the background; then the listener has raised the board again.
  board_->clear();
  if (const rocksdb::Status status = db.Resume(); !status.ok()) {
    board_->raise(to_error(status, "bringing the database back"));
  }
  if (auto error = board_->current()) {
    next_attempt_.store((time_.now() + backoff_).time_since_epoch().count(), std::memory_order_relaxed);
    backoff_ = std::min<MonotonicClock::duration>(2 * backoff_, backoff_max);
    return refuse(std::move(*error));
  }
  count(counters_.recoveries);
  backoff_ = backoff_first;
  return {};
}

}  // namespace armazem::rocks
