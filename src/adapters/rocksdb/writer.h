// Applies batches of mutations and purges: the only code that changes records, and that adds to the change log.
//
// Thread rule: the write thread only. That thread is why read, decide, write needs no lock: nobody else writes.
#pragma once

#include <rocksdb/write_batch.h>

#include <optional>
#include <string>
#include <vector>

#include "adapters/rocksdb/change_codec.h"
#include "adapters/rocksdb/engine_slot.h"
#include "adapters/rocksdb/write_gate.h"
#include "ports/store.h"

namespace armazem::rocks {

class Writer {
 public:
  // All must outlive the writer.
  Writer(EngineSlot& slot, WriteGate& gate, const TimeSource& time, WriteCounters& counters)
      : slot_(slot), gate_(gate), time_(time), counters_(counters) {}

  [[nodiscard]] Result<std::vector<Outcome>> apply(std::vector<Mutation> mutations, ApplyGuard guard);
  [[nodiscard]] Result<PurgeReport> purge(const PurgeRequest& request);

 private:
  // The mutations of one key, which stand side by side in batch order.
  struct Group {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string key;  // a copy, because the mutations are consumed
    std::optional<Record> record;  // without its value, which no decision looks at
  };

  [[nodiscard]] Result<void> read_current(std::vector<Group>& groups) const;
  void stage(const std::string& key, std::optional<std::uint64_t> old_start_ms, const Record& record);
  // What has gathered in `chunk_`; after it the newest change stands at the returned position.
  [[nodiscard]] std::uint64_t stage_chunk(std::uint64_t newest);
  [[nodiscard]] Result<void> commit(const rocksdb::WriteOptions& options);
  [[nodiscard]] Result<bool> stage_purge(const rocksdb::Slice& entry_key);

  // Once the gate has admitted the write.
  [[nodiscard]] const Engine& engine() const noexcept { return *slot_.engine(); }

  EngineSlot& slot_;
  WriteGate& gate_;
  const TimeSource& time_;
  WriteCounters& counters_;
  rocksdb::WriteBatch batch_;  // kept between batches for its memory
  std::string purge_from_;     // where the next purge step goes on; empty: from the front
  ChangeChunk chunk_;          // of the batch that is being staged
  // Position of the newest change in the database; nullopt: to be looked up, because a write has failed, and may be there
  // all the same once the database is open again.
  std::optional<std::uint64_t> newest_change_;
};

}  // namespace armazem::rocks
