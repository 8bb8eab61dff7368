// The change log in column family `changes`: begun with the database, written by Writer, read here.
//
// The family drops its oldest tables by itself (FIFO compaction), so what is kept is a suffix of all positions, and the
// first entry says where it begins. Its identity stands in `meta` and lasts as long as the log: should the log be found
// empty, a new one begins, because positions would be given away twice.
#pragma once

#include <rocksdb/write_batch.h>

#include <cstdint>

#include "adapters/rocksdb/engine.h"
#include "ports/changes.h"

namespace armazem::rocks {

// Stages the beginning of a log where there is none.
[[nodiscard]] rocksdb::Status stage_log_begin(const Engine& engine, rocksdb::WriteBatch& batch);

// Position of the newest change; what comes next continues from it. May touch the disk, as does all below.
[[nodiscard]] Result<std::uint64_t> newest_position(const Engine& engine);
[[nodiscard]] Result<ChangeLogState> log_state(const Engine& engine);
[[nodiscard]] Result<ChangePage> read_log(const Engine& engine, const ChangesRequest& request);

}  // namespace armazem::rocks
