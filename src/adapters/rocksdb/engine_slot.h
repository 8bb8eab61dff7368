// The open database behind a door: so that it can be closed and opened again while readers come and go.
//
// Thread rule: `try_use` and `use` from any thread; the rest on the write thread, which alone replaces the database and
// therefore may use it without asking.
// Passing the door is one counter on a cache line of the caller's processor: no lock, and nothing that readers share.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "adapters/rocksdb/engine.h"

namespace armazem::rocks {

class EngineSlot {
  // Readers inside, per processor.
  struct alignas(64) Shard {
    std::atomic<std::size_t> inside{0};
  };

 public:
  // Keeps the database open as long as it lives: for the length of one read.
  class [[nodiscard]] Use {
   public:
    Use(Use&& other) noexcept : shard_(std::exchange(other.shard_, nullptr)), engine_(other.engine_) {}
    Use& operator=(Use&&) = delete;
    ~Use() {
      if (shard_ != nullptr) shard_->inside.fetch_sub(1, std::memory_order_release);
    }
    // nullptr: the database could not be opened again, not even for reading.
    [[nodiscard]] const Engine* engine() const noexcept { return engine_; }

   private:
    friend class EngineSlot;
    explicit Use(Shard& shard) noexcept : shard_(&shard) { shard.inside.fetch_add(1, std::memory_order_seq_cst); }
    Shard* shard_;
    const Engine* engine_ = nullptr;
  };

  // Empty while the database is being replaced.
  [[nodiscard]] std::optional<Use> try_use() noexcept;
  // Waits for that.
  [[nodiscard]] Use use() noexcept;

  // Waits until all readers are outside; later ones wait for `open`.
  void shut() noexcept;
  void open(std::unique_ptr<Engine> engine) noexcept;
  // While the door is shut: hands the database out, to be closed.
  [[nodiscard]] std::unique_ptr<Engine> take() noexcept { return std::move(engine_); }
  [[nodiscard]] Engine* engine() const noexcept { return engine_.get(); }

 private:
  std::array<Shard, 16> shards_;
  std::atomic<bool> shut_{false};
  std::unique_ptr<Engine> engine_;  // changes only while the door is shut and nobody is inside
};

}  // namespace armazem::rocks
