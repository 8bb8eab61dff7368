#include "cli/client_command.h"

#include "cli/client_session.h"
#include "cli/key_commands.h"
#include "cli/stream_commands.h"
#include "cli/transfer_commands.h"
#include "core/assert.h"

namespace armazem::cli {

int run_client(const ClientOptions& options, const TimeSource& time) {
  ARMAZEM_ASSERT(options.command);
  switch (*options.command) {
    case ClientCommand::get: return run_session(options, time, get_key);
    case ClientCommand::put: return run_session(options, time, put_key);
    case ClientCommand::remove: return run_session(options, time, delete_key);
    case ClientCommand::list: return run_session(options, time, list_keys);
    case ClientCommand::watch: return run_session(options, time, watch_keys);
    case ClientCommand::export_all: return run_session(options, time, export_entries);
    case ClientCommand::import_all: return run_session(options, time, import_entries);
  }
  return client_exit::usage;
}

}  // namespace armazem::cli
