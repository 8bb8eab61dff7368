#include "adapters/rocksdb/rocksdb_store.h"

#include <algorithm>

#include "adapters/request_check.h"
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
        gate(board, disk, clock, write_counters),
        read_threads("armazem-read", std::max<std::size_t>(options.reader_threads, 1)),
        write_thread("armazem-write", 1) {}

  // Runs `work` on a reader thread, unless too many wait for one or the deadline passes before its turn.
  template <class Work>
  auto on_reader(Deadline deadline, Work work) -> Task<decltype(work())>;
  template <class Work>
  auto on_writer(Deadline deadline, Work work) -> Task<decltype(work())>;

  const TimeSource& time;
  const std::string path;
  const std::size_t readers_waiting_max;
  std::atomic<std::size_t> readers_waiting{0};
  rocks::ReadCounters read_counters;
  rocks::WriteCounters write_counters;
  rocks::DiskSpace disk;
  std::shared_ptr<rocks::FaultBoard> board = std::make_shared<rocks::FaultBoard>();
  rocks::WriteGate gate;
  std::unique_ptr<rocks::Engine> engine;
  std::optional<rocks::Reader> reader;
  std::optional<rocks::Writer> writer;
  // Last, so that they end first: what still waits on them uses everything above.
  ThreadPool read_threads;
  ThreadPool write_thread;
};

template <class Work>
auto RocksdbStore::Parts::on_reader(Deadline deadline, Work work) -> Task<decltype(work())> {
  if (readers_waiting.fetch_add(1, std::memory_order_relaxed) >= readers_waiting_max) {
    readers_waiting.fetch_sub(1, std::memory_order_relaxed);
    rocks::count(read_counters.refused);
    co_return fail(ErrorCode::overloaded, "too many reads wait for the disk");
  }
  rocks::count(read_counters.handed_over);
  co_return co_await rocks::run_on(read_threads, [this, deadline, &work]() -> decltype(work()) {
    readers_waiting.fetch_sub(1, std::memory_order_relaxed);
    if (deadline.expired(time.now())) return too_late("the read");
    return work();
  });
}

template <class Work>
auto RocksdbStore::Parts::on_writer(Deadline deadline, Work work) -> Task<decltype(work())> {
  co_return co_await rocks::run_on(write_thread, [this, deadline, &work]() -> decltype(work()) {
    if (deadline.expired(time.now())) return too_late("the write");
    return work();
  });
}

Result<std::unique_ptr<RocksdbStore>> RocksdbStore::open(const RocksdbOptions& options, const TimeSource& time) {
  auto parts = std::make_unique<Parts>(options, time);
  auto engine = rocks::Engine::open(options, rocks::make_fault_listener(parts->board));
  if (!engine) return fail(std::move(engine.error()));
  parts->engine = std::move(*engine);
  parts->reader.emplace(*parts->engine, parts->read_counters);
  parts->writer.emplace(*parts->engine, parts->gate, time, parts->write_counters);
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::move(parts)));
}

RocksdbStore::RocksdbStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

RocksdbStore::~RocksdbStore() = default;

Executor& RocksdbStore::write_executor() noexcept { return parts_->write_thread; }

Task<Result<std::optional<Record>>> RocksdbStore::get(const Key& key, Deadline deadline) {
  using Answer = Task<Result<std::optional<Record>>>;
  if (deadline.expired(parts_->time.now())) return Answer(too_late("the read"));
  if (auto found = parts_->reader->get_from_memory(key.text())) return Answer(std::move(*found));
  return parts_->on_reader(deadline, [this, &key] { return parts_->reader->get(key.text()); });
}

Task<Result<std::vector<Outcome>>> RocksdbStore::apply(std::vector<Mutation> mutations, ApplyGuard guard,
                                                       Deadline deadline) {
  if (auto checked = check_request(mutations); !checked) {
    return Task<Result<std::vector<Outcome>>>(fail(std::move(checked.error())));
  }
  return parts_->on_writer(deadline, [this, guard, batch = std::move(mutations)]() mutable {
    return parts_->writer->apply(std::move(batch), guard);
  });
}

Task<Result<ScanPage>> RocksdbStore::scan(ScanRequest request, Deadline deadline) {
  if (auto checked = check_request(request); !checked) return Task<Result<ScanPage>>(fail(std::move(checked.error())));
  return parts_->on_reader(deadline, [this, asked = std::move(request)] { return parts_->reader->scan(asked); });
}

Task<Result<PurgeReport>> RocksdbStore::purge(PurgeRequest request, Deadline deadline) {
  return parts_->on_writer(deadline, [this, request] { return parts_->writer->purge(request); });
}

// Also what brings the database back when nobody writes, because readiness keeps writers away while it says no.
Task<StoreHealth> RocksdbStore::health(Deadline) {
  if (parts_->gate.recovery_due()) {
    co_await rocks::run_on(parts_->write_thread, [this] { return parts_->gate.admit(parts_->engine->db()); });
  }
  const auto trouble = parts_->gate.trouble();
  co_return StoreHealth{!trouble, trouble ? trouble->message : "RocksDB in " + parts_->path};
}

RocksdbFigures RocksdbStore::figures() const {
  RocksdbFigures figures;
  parts_->write_counters.read_into(figures);
  figures.gets = parts_->read_counters.gets.sum();
  figures.get_misses = parts_->read_counters.misses.sum();
  figures.reads_handed_over = parts_->read_counters.handed_over.load(std::memory_order_relaxed);
  figures.reads_refused = parts_->read_counters.refused.load(std::memory_order_relaxed);
  parts_->engine->read_into(figures);
  figures.free_bytes = parts_->disk.free_bytes();
  figures.readers_waiting = parts_->readers_waiting.load(std::memory_order_relaxed);
  figures.healthy = !parts_->gate.trouble();
  return figures;
}

}  // namespace armazem
