// `armazem deadletters list|show|replay|drop`.
#pragma once

#include <iosfwd>

#include "app/command_line.h"
#include "ports/dead_letters.h"

namespace armazem {

// Returns the exit code: 0, or exit_failure when a letter could not be dealt with; `err` says why.
int run_dead_letters(DeadLetterBox& box, const DeadLettersRequest& request, std::ostream& out, std::ostream& err);

}  // namespace armazem
