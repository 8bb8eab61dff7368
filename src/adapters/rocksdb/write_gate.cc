#include "adapters/rocksdb/write_gate.h"

#include <algorithm>

#include "adapters/rocksdb/status.h"

namespace armazem::rocks {
namespace {

constexpr std::chrono::milliseconds backoff_first{100};
constexpr std::chrono::milliseconds backoff_max{5000};
constexpr std::uint64_t opening_bytes = std::uint64_t{2} << 20;  // a manifest, a log, a flush of what is replayed
constexpr std::uint64_t slack_bytes = std::uint64_t{8} << 20;  // a new log, manifest, table indexes

// Whatever stopped the database, this write was not begun: that is unavailable, or storage_full, and nothing else.
Error without_effect(Error error) {
  if (error.code != ErrorCode::storage_full) error.code = ErrorCode::unavailable;
  return error;
}

Error disk_low(DiskSpace& disk) {
  return {ErrorCode::storage_full, "no room on the data disk: " + std::to_string(disk.free_bytes() >> 20) +
                                       " MiB free, " + std::to_string(disk.reserve_bytes() >> 20) +
                                       " MiB are kept in reserve"};
}

}  // namespace

WriteGate::WriteGate(const RocksdbOptions& options, EngineSlot& slot, DiskSpace& disk, const TimeSource& time,
                     WriteCounters& counters)
    : options_(options), slot_(slot), disk_(disk), time_(time), counters_(counters), backoff_(backoff_first) {}

Result<void> WriteGate::open() {
  // RocksDB (7.8, with Debian's assertions) aborts when opening runs out of space halfway.
  if (disk_.free_bytes() < opening_bytes) {
    return fail(ErrorCode::storage_full, "the data disk is full: " + std::to_string(disk_.free_bytes() >> 10) +
                                             " KiB free, opening " + options_.path + " needs " +
                                             std::to_string(opening_bytes >> 10) + " KiB; make room and start again");
  }
  auto engine = Engine::open(options_, make_fault_listener(board_));
  if (!engine) return fail(std::move(engine.error()));
  slot_.open(std::move(*engine));
  return {};
}

Result<void> WriteGate::admit() {
  if (disk_.low(4 * options_.write_buffer_bytes) && slot_.engine() != nullptr) {
    unwritten_bytes_.store(slot_.engine()->memtable_bytes(), std::memory_order_relaxed);
  }
  if (disk_.low(unwritten_bytes_.load(std::memory_order_relaxed))) return fail(disk_low(disk_));
  if (recovery_due()) reopen();
  if (auto error = board_->current()) return fail(without_effect(std::move(*error)));
  return {};
}

Error WriteGate::failed(const rocksdb::Status& status) {
  count(counters_.failures);
  Error error = to_error(status, "writing a batch");
  board_->raise(error);
  error.code = ErrorCode::outcome_unknown;
  return error;
}

void WriteGate::close() {
  // Not after a failure: RocksDB would meet the failed log again. The next start replays what is in it.
  if (!board_->raised()) slot_.engine()->write_out();
}

std::optional<Error> WriteGate::trouble() const {
  if (disk_.low(unwritten_bytes_.load(std::memory_order_relaxed))) return disk_low(disk_);
  return board_->current();
}

bool WriteGate::recovery_due() const {
  return board_->raised() && time_.now().time_since_epoch().count() >= next_attempt_.load(std::memory_order_relaxed);
}

// What lies in memory has to be written out by the start; without room for it the attempt would cost the readers a
// pause for nothing.
bool WriteGate::room_for_recovery() const {
  const std::uint64_t unwritten = slot_.engine() != nullptr ? slot_.engine()->memtable_bytes() : 0;
  return disk_.free_bytes() >= unwritten + slack_bytes;
}

void WriteGate::reopen() {
  // Also after success: were every write to fail, readers should not be stopped for each of them.
  next_attempt_.store((time_.now() + backoff_).time_since_epoch().count(), std::memory_order_relaxed);
  backoff_ = std::min<MonotonicClock::duration>(2 * backoff_, backoff_max);
  if (!room_for_recovery()) return;

  slot_.shut();
  slot_.take().reset();
  board_->clear();
  auto engine = Engine::open_again(options_, make_fault_listener(board_));
  if (engine) {
    count(counters_.recoveries);
    backoff_ = backoff_first;
  } else {
    board_->raise(std::move(engine.error()));
    engine = Engine::open_for_reading(options_);
  }
  slot_.open(engine ? std::move(*engine) : nullptr);
}

}  // namespace armazem::rocks
