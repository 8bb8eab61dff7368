// The error that stops writes, as RocksDB's background threads and our write thread report it.
//
// Thread rule: any thread.
#pragma once

#include <rocksdb/listener.h>

#include <atomic>
#include <memory>
#include <optional>

#include "core/mutex.h"
#include "core/result.h"

namespace armazem::rocks {

class FaultBoard {
 public:
  void raise(Error error);
  void clear();
  [[nodiscard]] bool raised() const noexcept { return raised_.load(std::memory_order_acquire); }
  [[nodiscard]] std::optional<Error> current() const;

 private:
  std::atomic<bool> raised_{false};
  mutable Mutex mutex_;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

// Raises the background errors after which RocksDB refuses writes.
[[nodiscard]] std::shared_ptr<rocksdb::EventListener> make_fault_listener(std::shared_ptr<FaultBoard> board);

}  // namespace armazem::rocks
