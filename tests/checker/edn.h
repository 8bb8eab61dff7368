// Strong operations in the form that Jepsen's tools read: one map per invocation and completion, in order of time.
#pragma once

#include <iosfwd>

#include "checker/history.h"

namespace armazem::checker {

// A register per key: :read, :write and, for If-Match on a version whose value is known, :cas. Other conditional writes
// that succeeded are written as :write, those that failed are left out, a delete writes nil.
void write_edn(std::ostream& out, const History& history);

}  // namespace armazem::checker
