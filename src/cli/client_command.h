// Runs a client command.
#pragma once

#include "cli/client_options.h"
#include "core/time_source.h"

namespace armazem::cli {

// Returns the exit code (client_exit).
int run_client(const ClientOptions& options, const TimeSource& time);

}  // namespace armazem::cli
