// Comparing what went into a queue with what came out.
#pragma once

#include <tuple>

#include "core/mutation.h"

namespace armazem::test {

inline bool same(const Mutation& a, const Mutation& b) {
  const auto tie = [](const Mutation& m) {
    return std::tie(m.kind, m.key, m.value, m.version, m.condition, m.expires_at_ms);
  };
  return tie(a) == tie(b);
}

}  // namespace armazem::test
