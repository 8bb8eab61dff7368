// `armazem keys create|list|revoke`: changes the keys file; servers notice by themselves.
#pragma once

#include <iosfwd>
#include <string>

#include "app/command_line.h"
#include "core/time_source.h"

namespace armazem {

// Returns the exit code; `err` says why. Only what a script wants goes to `out`: the new key, or the list.
int run_keys(const std::string& file, const KeysRequest& request, const TimeSource& time, std::ostream& out, std::ostream& err);

}  // namespace armazem
