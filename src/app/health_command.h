// `armazem health`: for the health checks of containers, whose images have no other HTTP client.
#pragma once

#include <iosfwd>

#include "app/settings.h"

namespace armazem {

// Asks the server or worker at settings.server.address and port for /health/ready, within a few seconds. Returns the exit
// code: 0 when it is ready, else exit_failure. `out` gets its answer, `err` why there was none.
int run_health(const Settings& settings, std::ostream& out, std::ostream& err);

}  // namespace armazem
