#include "adapters/rocksdb/engine.h"

#include <rocksdb/env.h>

#include "adapters/rocksdb/change_log.h"
#include "adapters/rocksdb/directory.h"
#include "adapters/rocksdb/format_check.h"

namespace armazem::rocks {
namespace {

// Whether the database has to be made; refuses everything that is not ours to open. Changes nothing.
Result<bool> must_create(const RocksdbOptions& options, const rocksdb::DBOptions& database, const Memory& memory) {
  const auto state = examine_directory(options.path);
  if (!state) return fail(state.error());
  if (*state == DirectoryState::missing) {
    if (auto created = create_directory(options.path); !created) return fail(std::move(created.error()));
  }
  if (*state != DirectoryState::database) return true;
  const auto format = check_format(options, database, memory);
  if (!format) return fail(format.error());
  return *format == FormatState::unfinished;
}

}  // namespace

Engine::Engine(const RocksdbOptions& options)
    : memory_(make_memory(options)), settings_(database_options(options, memory_)) {
  if (!options.test_file_system) return;
  env_ = rocksdb::NewCompositeEnv(options.test_file_system);
  settings_.env = env_.get();
}

Result<std::unique_ptr<Engine>> Engine::open(const RocksdbOptions& options,
                                             std::shared_ptr<rocksdb::EventListener> listener) {
  std::unique_ptr<Engine> engine(new Engine(options));
  const auto create = must_create(options, engine->settings_, engine->memory_);
  if (!create) return fail(create.error());
  if (listener) engine->settings_.listeners.push_back(std::move(listener));
  if (auto opened = engine->open_database(options, *create); !opened) return fail(std::move(opened.error()));
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::open_again(const RocksdbOptions& options,
                                                   std::shared_ptr<rocksdb::EventListener> listener) {
  std::unique_ptr<Engine> engine(new Engine(options));
  engine->settings_.listeners.push_back(std::move(listener));
  if (auto opened = engine->open_database(options, false); !opened) return fail(std::move(opened.error()));
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::open_for_reading(const RocksdbOptions& options) {
  std::unique_ptr<Engine> engine(new Engine(options));
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::OpenForReadOnly(engine->settings_, options.path, families(options, engine->memory_),
                                                   &engine->handles_, &opened);
  engine->db_.reset(opened);
  if (!status.ok()) return fail(open_error(options.path, status));
  return engine;
}

Result<void> Engine::open_database(const RocksdbOptions& options, bool create) {
  settings_.create_if_missing = create;
  settings_.create_missing_column_families = true;  // an older format has fewer
  rocksdb::DB* opened = nullptr;
  auto status = rocksdb::DB::Open(settings_, options.path, families(options, memory_), &handles_, &opened);
  db_.reset(opened);
  if (status.ok()) status = settle();
  if (!status.ok()) return fail(open_error(options.path, status));
  return {};
}

rocksdb::Status Engine::settle() const {
  rocksdb::WriteBatch batch;
  auto status = stage_format(*db_, meta(), batch);
  if (status.ok()) status = stage_log_begin(*this, batch);
  if (!status.ok() || batch.Count() == 0) return status;
  rocksdb::WriteOptions synced;
  synced.sync = true;
  status = db_->Write(synced, &batch);
  // In a table at once: so a database that lost its log is not taken for one that was never finished.
  return status.ok() ? db_->Flush(rocksdb::FlushOptions(), meta()) : status;
}

void Engine::read_into(RocksdbFigures& figures) const {
  const auto number = [this](const std::string& property) {
    std::uint64_t value = 0;
    db_->GetIntProperty(records(), property, &value);
    return value;
  };
  figures.block_cache_bytes = memory_.cache->GetUsage();
  figures.block_cache_bytes_max = memory_.cache->GetCapacity();
  figures.memtable_bytes = memtable_bytes();
  figures.live_data_bytes = number(rocksdb::DB::Properties::kEstimateLiveDataSize);
  figures.keys = number(rocksdb::DB::Properties::kEstimateNumKeys);
}

void Engine::write_out() const {
  // Every acknowledged write is synced already: a failure loses nothing that was promised and leaves nobody to tell.
  db_->Flush(rocksdb::FlushOptions(), handles_).PermitUncheckedError();
}

Engine::~Engine() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

}  // namespace armazem::rocks
