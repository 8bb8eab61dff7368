// The queues, their names and their arguments: one place for those who declare, check, publish and consume.
// docs/messages.md says why each argument is as it is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "adapters/rabbitmq/connection.h"

namespace armazem::rabbit {

[[nodiscard]] inline std::string partition_queue(const RabbitmqOptions& options, std::size_t partition) {
  return options.prefix + std::to_string(partition);
}
[[nodiscard]] inline std::string dead_queue(const RabbitmqOptions& options) { return options.prefix + "dead"; }

// Every queue, the dead letters first: the others name it as their target.
[[nodiscard]] std::vector<std::string> all_queues(const RabbitmqOptions& options);

// invalid_argument.
[[nodiscard]] Result<void> check_options(const RabbitmqOptions& options);

// A connection for one piece of work, to the first host that answers; each is tried once.
[[nodiscard]] Result<std::unique_ptr<Connection>> connect_once(const RabbitmqOptions& options,
                                                               const std::string& purpose, Watchdog& watchdog);

}  // namespace armazem::rabbit
