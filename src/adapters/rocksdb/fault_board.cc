#include "adapters/rocksdb/fault_board.h"

#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

// Softer errors stop compaction for a while, not writes, and RocksDB mends them by itself.
bool stops_writes(const rocksdb::Status& error) { return error.severity() >= rocksdb::Status::kHardError; }

// Called inside RocksDB with its mutex held: only notes what happened.
class FaultListener final : public rocksdb::EventListener {
 public:
  explicit FaultListener(std::shared_ptr<FaultBoard> board) : board_(std::move(board)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    if (stops_writes(*error)) board_->raise(to_error(*error, "the database stopped writing"));
  }

  // What stops writes is ours to mend: see recovery.h.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status error, bool* auto_recovery) override {
    if (stops_writes(error)) *auto_recovery = false;
  }

 private:
  std::shared_ptr<FaultBoard> board_;
};

}  // namespace

void FaultBoard::raise(Error error) {
  const MutexLock lock(mutex_);
  error_ = std::move(error);
  raised_.store(true, std::memory_order_release);
}

void FaultBoard::clear() {
  const MutexLock lock(mutex_);
  error_.reset();
  raised_.store(false, std::memory_order_release);
}

std::optional<Error> FaultBoard::current() const {
  if (!raised()) return std::nullopt;
  const MutexLock lock(mutex_);
  return error_;
}

std::shared_ptr<rocksdb::EventListener> make_fault_listener(std::shared_ptr<FaultBoard> board) {
  return std::make_shared<FaultListener>(std::move(board));
}

}  // namespace armazem::rocks
