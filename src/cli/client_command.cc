#include "cli/client_command.h"

#include "cli/client_session.h"
#include "cli/key_commands.h"
#include "core/assert.h"

namespace armazem::cli {

int run_client(const ClientOptions& options, const TimeSource& time) {
  ARMAZEM_ASSERT(options.command);
  switch (*options.command) {
    case ClientCommand::get: return run_session(options, time, get_key);
    case ClientCommand::put: return run_session(options, time, put_key);
    case ClientCommand::remove: return run_session(options, time, delete_key);
  }
  return client_exit::usage;
}

}  // namespace armazem::cli
