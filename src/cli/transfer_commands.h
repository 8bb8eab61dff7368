// armazem export and import: all keys with versions and expiry, as one JSON object a line.
#pragma once

#include "cli/client_session.h"

namespace armazem::cli {

Task<int> export_entries(ClientSession& session);
Task<int> import_entries(ClientSession& session);

}  // namespace armazem::cli
