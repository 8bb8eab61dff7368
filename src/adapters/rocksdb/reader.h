// Reads: one record, or one page of live ones.
//
// Thread rule: every method from any thread; those that may touch the disk say so. The engine must stay open meanwhile.
#pragma once

#include <optional>
#include <string_view>

#include "adapters/rocksdb/counters.h"
#include "adapters/rocksdb/engine.h"
#include "ports/store.h"

namespace armazem::rocks {

class Reader {
 public:
  using Found = Result<std::optional<Record>>;

  // From memory only. The outer optional is empty when the disk has to be asked.
  [[nodiscard]] std::optional<Found> get_from_memory(const Engine& engine, std::string_view key);
  // May touch the disk.
  [[nodiscard]] Found get(const Engine& engine, std::string_view key);
  // May touch the disk. Looks at a bounded number of records.
  [[nodiscard]] static Result<ScanPage> scan(const Engine& engine, const ScanRequest& request);

  [[nodiscard]] ReadCounters& counters() noexcept { return counters_; }

 private:
  [[nodiscard]] std::optional<Found> get(const Engine& engine, std::string_view key, rocksdb::ReadTier tier);

  ReadCounters counters_;
};

}  // namespace armazem::rocks
