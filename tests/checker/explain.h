// Few operations that already contradict each other, out of a history that cannot be linearized.
#pragma once

#include "checker/key_history.h"
#include "checker/search.h"

namespace armazem::checker {

[[nodiscard]] Verdict explain(const KeyHistory& key, LinearizabilitySearch& search, const CheckOptions& options);

}  // namespace armazem::checker
