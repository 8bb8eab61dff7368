// Makes a failing run small: faults and operations are left out, one after the other, as long as it still fails.
#pragma once

#include <set>
#include <string>

#include "simulation/plan.h"

namespace armazem::sim {

// Positions in Plan::operations and Plan::faults that are left out.
struct LeftOut {
  std::set<std::size_t> operations;
  std::set<std::size_t> faults;

  // As the option --without takes it: "o3,o4,f0"; throws std::invalid_argument.
  static LeftOut parse(const std::string& text);
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Plan without(Plan plan, const LeftOut& left_out);

[[nodiscard]] LeftOut shrink(const Plan& plan);

}  // namespace armazem::sim
