// The way between one process and one tier: how long messages take, and whether they arrive.
#pragma once

#include "simulation/world.h"

namespace armazem::sim {

struct Link {
  World& world;
  Microseconds slow_until = 0;
  Microseconds slow_by = 0;    // at most, while slow
  Microseconds cut_until = 0;  // nothing gets through, either way
  unsigned lose_answers = 0;   // of the next calls
  unsigned lose_requests = 0;

  [[nodiscard]] Microseconds delay() noexcept {
    const Microseconds usual = world.random.between(30, 400);
    return world.now() < slow_until ? usual + world.random.below(slow_by + 1) : usual;
  }
  [[nodiscard]] bool is_cut() const noexcept { return world.now() < cut_until; }
  void heal() noexcept { slow_until = cut_until = lose_answers = lose_requests = 0; }
  static bool spend(unsigned& left) noexcept { return left > 0 && left-- > 0; }
};

}  // namespace armazem::sim
