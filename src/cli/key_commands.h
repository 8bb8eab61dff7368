// `armazem get`, `put` and `delete`: one key, one request, raw bytes in and out.
#pragma once

#include "cli/client_session.h"

namespace armazem::cli {

Task<int> get_key(ClientSession& session);
Task<int> put_key(ClientSession& session);
Task<int> delete_key(ClientSession& session);

}  // namespace armazem::cli
