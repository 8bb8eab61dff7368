// The memory of one simulated run. While an Arena::Scope is alive, everything that this program allocates with `new` comes
// out of one region, which the next run takes over as a whole.
//
// Why: a process that crashes loses its memory without any destructor having run, as after kill -9; its coroutines are
// simply never resumed and their frames forgotten. And a run costs no call of malloc, which is half of its time otherwise.
//
// Thread rule: one thread.
#pragma once

#include <cstddef>

namespace armazem::sim {

class Arena {
 public:
  // Forgets all that the last run has allocated; nothing of it may be touched any more.
  static void reset() noexcept;
  // Bytes handed out since the last reset, those given back and used again counted once.
  [[nodiscard]] static std::size_t used() noexcept;

  // Whether a run is under way here.
  [[nodiscard]] static bool in_use() noexcept;

  // Allocations come from the arena (or, inside it, from the heap again: for what outlives the run).
  class Scope {
   public:
    explicit Scope(bool in_arena = true) noexcept;
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    const bool before_;
  };
};

}  // namespace armazem::sim
