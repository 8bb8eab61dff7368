// Free space below the database, asked of the system at most every 100 ms while there is plenty.
//
// Thread rule: every method from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/time_source.h"

namespace armazem::rocks {

class DiskSpace {
 public:
  // Writes are refused while less than `reserve_bytes` is free, so that what must still be written to get well again
  // (flush, compaction, purge) finds room. `time` must outlive this object.
  DiskSpace(std::string path, std::uint64_t reserve_bytes, const TimeSource& time);

  // Bytes that this process may still use; the largest number when the system does not say.
  [[nodiscard]] std::uint64_t free_bytes();
  // `promised_bytes`: what is still to be written besides, e.g. memtables to be flushed.
  [[nodiscard]] bool low(std::uint64_t promised_bytes) { return free_bytes() < reserve_bytes_ + promised_bytes; }
  [[nodiscard]] std::uint64_t reserve_bytes() const noexcept { return reserve_bytes_; }

 private:
  const std::string path_;
  const std::uint64_t reserve_bytes_;
  const TimeSource& time_;
  std::atomic<std::int64_t> next_look_ns_;  // monotonic
  std::atomic<std::uint64_t> free_bytes_;
};

}  // namespace armazem::rocks
