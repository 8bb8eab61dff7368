#include "adapters/rocksdb/rocksdb_store.h"

#include <algorithm>

#include "adapters/request_check.h"
#include "adapters/rocksdb/change_log.h"
#include "adapters/rocksdb/reader.h"
#include "adapters/rocksdb/run_on.h"
#include "adapters/rocksdb/writer.h"
#include "runtime/thread_pool.h"

namespace armazem {

struct RocksdbStore::Parts {
  Parts(const RocksdbOptions& options, const TimeSource& clock)
      : time(clock),
        path(options.path),
        readers_waiting_max(options.readers_waiting_max),
        disk(options.path, options.reserve_bytes, clock),
        gate(options, slot, disk, clock, write_counters),
        writer(slot, gate, clock, write_counters),
        read_threads(std::in_place, "armazem-read", std::max<std::size_t>(options.reader_threads, 1)),
        write_thread(std::in_place, "armazem-write", 1) {}

  // Runs `work(engine)` on a reader thread, unless too many wait for one or the deadline passes before its turn.
  template <class Work>
  auto on_reader(Deadline deadline, Work work) -> Task<std::invoke_result_t<Work, const rocks::Engine&>>;
  template <class Work>
  auto on_writer(Deadline deadline, Work work) -> Task<decltype(work())>;

  const TimeSource& time;
  const std::string path;
  const std::size_t readers_waiting_max;
  std::atomic<std::size_t> readers_waiting{0};
  rocks::DiskSpace disk;
  rocks::EngineSlot slot;
  rocks::WriteCounters write_counters;
  rocks::WriteGate gate;
  rocks::Writer writer;
  rocks::Reader reader;
  // Last, so that they end first: what still waits on them uses everything above.
  std::optional<ThreadPool> read_threads;
  std::optional<ThreadPool> write_thread;
};

template <class Work>
auto RocksdbStore::Parts::on_reader(Deadline deadline, Work work)
    -> Task<std::invoke_result_t<Work, const rocks::Engine&>> {
  if (readers_waiting.fetch_add(1, std::memory_order_relaxed) >= readers_waiting_max) {
    readers_waiting.fetch_sub(1, std::memory_order_relaxed);
    rocks::count(reader.counters().refused);
    co_return fail(ErrorCode::overloaded, "too many reads wait for the disk");
  }
  rocks::count(reader.counters().handed_over);
  using Answer = std::invoke_result_t<Work, const rocks::Engine&>;
  co_return co_await rocks::run_on(*read_threads, [this, deadline, &work]() -> Answer {
    const auto use = slot.use();
    readers_waiting.fetch_sub(1, std::memory_order_relaxed);
    if (deadline.expired(time.now())) return too_late("the read");
    if (use.engine() == nullptr) return fail(ErrorCode::unavailable, "the database could not be opened again");
    return work(*use.engine());
  });
}

template <class Work>
auto RocksdbStore::Parts::on_writer(Deadline deadline, Work work) -> Task<decltype(work())> {
  co_return co_await rocks::run_on(*write_thread, [this, deadline, &work]() -> decltype(work()) {
    if (deadline.expired(time.now())) return too_late("the write");
    return work();
  });
}

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(const RocksdbOptions& options, const TimeSource& time) {
  auto parts = std::make_unique<Parts>(options, time);
  if (auto opened = parts->gate.open(); !opened) return fail(std::move(opened.error()));
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(parts)));
}

RocksdbStore::RocksdbStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RocksdbStore::~RocksdbStore() {
  // In this order: what waits runs to its end, nothing new can come, the database closes.
  parts_->read_threads.reset();
  parts_->write_thread.reset();
  parts_->gate.close();
}

Executor& RocksdbStore::write_executor() noexcept { return *parts_->write_thread; }

Task<Result<std::optional<Record>>> RocksdbStore::get(const Key& key, Deadline deadline) {
  using Answer = Task<Result<std::optional<Record>>>;
  if (deadline.expired(parts_->time.now())) return Answer(too_late("the read"));
  if (const auto use = parts_->slot.try_use(); use && use->engine() != nullptr) {
    if (auto found = parts_->reader.get_from_memory(*use->engine(), key.text())) return Answer(std::move(*found));
  }
  return parts_->on_reader(
      deadline, [this, &key](const rocks::Engine& engine) { return parts_->reader.get(engine, key.text()); });
}

Task<Result<std::vector<Outcome>>> RocksdbStore::apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                       Deadline deadline) {
  if (auto checked = check_request(mutations); !checked) {
    return Task<Result<std::vector<Outcome>>>(fail(std::move(checked.error())));
  }
  return parts_->on_writer(deadline, [this, guard, batch = std::move(mutations)]() mutable {
    return parts_->writer.apply(std::move(batch), guard);
  });
}

Task<Result<ScanPage>> RocksdbStore::scan(ScanRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return Task<Result<ScanPage>>(fail(std::move(checked.error())));
  return parts_->on_reader(deadline, [asked = std::move(request)](const rocks::Engine& engine) {
    return rocks::Reader::scan(engine, asked);
  });
}

Task<Result<PurgeReport>> RocksdbStore::purge(PurgeRequest request, Deadline deadline) {
  return parts_->on_writer(deadline, [this, request] { return parts_->writer.purge(request); });
}

Task<Result<ChangePage>> RocksdbStore::read_changes(ChangesRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return Task<Result<ChangePage>>(fail(std::move(checked.error())));
  return parts_->on_reader(deadline,
                           [request](const rocks::Engine& engine) { return rocks::read_log(engine, request); });
}

Task<Result<ChangeLogState>> RocksdbStore::change_log_state(Deadline deadline) {
  return parts_->on_reader(deadline, [](const rocks::Engine& engine) { return rocks::log_state(engine); });
}

// Also what brings the database back when nobody writes, because readiness keeps writers away while it says no.
Task<StoreHealth> RocksdbStore::health(Deadline) {
  if (parts_->gate.recovery_due()) {
    // What it finds is what `trouble` says.
    (void)co_await rocks::run_on(*parts_->write_thread, [this] { return parts_->gate.admit(); });
  }
  const auto trouble = parts_->gate.trouble();
  co_return StoreHealth{!trouble, trouble ? trouble->message : "RocksDB in " + parts_->path};
}

RocksdbFigures RocksdbStore::figures() const {
  RocksdbFigures figures;
  parts_->write_counters.read_into(figures);
  const rocks::ReadCounters& reads = parts_->reader.counters();
  figures.gets = reads.gets.sum();
  figures.get_misses = reads.misses.sum();
  figures.reads_handed_over = reads.handed_over.load(std::memory_order_relaxed);
  figures.reads_refused = reads.refused.load(std::memory_order_relaxed);
  if (const auto use = parts_->slot.try_use(); use && use->engine() != nullptr) use->engine()->read_into(figures);
  figures.free_bytes = parts_->disk.free_bytes();
  figures.readers_waiting = parts_->readers_waiting.load(std::memory_order_relaxed);
  figures.healthy = !parts_->gate.trouble();
  return figures;
}

}  // namespace armazem
