// Reads: one record, or one page of live ones.
//
// Thread rule: every method from any thread; those that may touch the disk say so.
#pragma once

#include <optional>
#include <string_view>

#include "adapters/rocksdb/counters.h"
#include "adapters/rocksdb/engine.h"
#include "ports/store.h"

namespace armazem::rocks {

class Reader {
 public:
  // Both must outlive the reader.
  Reader(const Engine& engine, ReadCounters& counters) : engine_(engine), counters_(counters) {}

  using Found = Result<std::optional<Record>>;

  // From memory only. The outer optional is empty when the disk has to be asked.
  [[nodiscard]] std::optional<Found> get_from_memory(std::string_view key) const;
  // May touch the disk.
  [[nodiscard]] Found get(std::string_view key) const;
  // May touch the disk. Looks at a bounded number of records.
  [[nodiscard]] Result<ScanPage> scan(const ScanRequest& request) const;

 private:
  [[nodiscard]] std::optional<Found> get(std::string_view key, rocksdb::ReadTier tier) const;

  const Engine& engine_;
  ReadCounters& counters_;
};

}  // namespace armazem::rocks
