#include "adapters/rocksdb/engine_slot.h"

#include <sched.h>

#include <thread>

namespace armazem::rocks {

// Either this sees the door shut, or `shut` sees the counter: both sides first write, then read, in one total order.
std::optional<EngineSlot::Use> EngineSlot::try_use() noexcept {
  Use use(shards_[static_cast<unsigned>(sched_getcpu()) % shards_.size()]);
  if (shut_.load(std::memory_order_seq_cst)) return std::nullopt;
  use.engine_ = engine_.get();
  return use;
}

EngineSlot::Use EngineSlot::use() noexcept {
  while (true) {
    if (auto use = try_use()) return std::move(*use);
    shut_.wait(true);
  }
}

void EngineSlot::shut() noexcept {
  shut_.store(true, std::memory_order_seq_cst);
  for (const Shard& shard : shards_) {
    // A read takes microseconds, at worst some disk accesses, and nothing new comes in.
    while (shard.inside.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  }
}

void EngineSlot::open(std::unique_ptr<Engine> engine) noexcept {
  engine_ = std::move(engine);
  shut_.store(false, std::memory_order_seq_cst);
  shut_.notify_all();
}

}  // namespace armazem::rocks
