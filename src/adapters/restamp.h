// Dead letters that are replayed under a new stamp.
#pragma once

#include <algorithm>
#include <vector>

#include "core/mutation.h"

namespace armazem {

// Gives the mutations the time half of `stamp` and what follows it, in the order of their old versions. The op ids
// stay: a letter that was applied after all is then still recognised as 'already applied'.
inline void restamp(std::vector<Mutation>& mutations, const Version& stamp) {
  std::vector<Mutation*> in_order;
  in_order.reserve(mutations.size());
  for (Mutation& mutation : mutations) in_order.push_back(&mutation);
  std::ranges::stable_sort(in_order, {}, [](const Mutation* mutation) { return mutation->version; });
  Tick tick = stamp.tick();
  for (Mutation* mutation : in_order) {
    mutation->version = Version::make(tick, mutation->version.op());
    tick = tick.next();
  }
}

}  // namespace armazem
