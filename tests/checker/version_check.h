// What versions say without any search, in linear time after sorting: versions of one key increase in the order of
// application, so what had been applied before an operation began must not be newer than what it saw, and must be older
// than what it wrote. Necessary, not sufficient; cheap enough for millions of operations.
#pragma once

#include <optional>
#include <vector>

#include "checker/key_history.h"

namespace armazem::checker {

class VersionCheck {
 public:
  std::optional<Verdict> operator()(const KeyHistory& key, const CheckOptions& options);

 private:
  // By this time this version had been applied: a write was acknowledged, or somebody saw it.
  struct Fact {
    std::uint64_t at;
    const Op* op;
  };

  void gather_facts(const KeyHistory& key);

  std::vector<Fact> facts_;
};

}  // namespace armazem::checker
