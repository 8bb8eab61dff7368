// armazem list and watch.
#pragma once

#include "cli/client_session.h"

namespace armazem::cli {

Task<int> list_keys(ClientSession& session);
Task<int> watch_keys(ClientSession& session);

}  // namespace armazem::cli
