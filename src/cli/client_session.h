// What the client commands share: a loop, the resolved server, and the headers of every request.
//
// Thread rule: the session's own loop.
#pragma once

#include <functional>
#include <string>

#include "cli/alarm_clock.h"
#include "cli/client_failure.h"
#include "cli/client_options.h"
#include "cli/http_client.h"

namespace armazem::cli {

class ClientSession {
 public:
  ClientSession(const ClientOptions& options, net::IoLoop& loop, Sweeper& sweeper, AlarmClock& clock,
                const Endpoint& endpoint, std::string headers);

  const ClientOptions& options;
  net::IoLoop& loop;
  Sweeper& sweeper;
  AlarmClock& clock;
  const Endpoint& endpoint;
  const std::string headers;  // of every request: who asks, and with which key

  // On a connection of the session's own; waits for options.timeout at most.
  Task<Result<void>> exchange(HttpRequest request, HttpAnswer& answer);
  // The answer, if it is a success of any kind (below 300); else it is reported, and `exit_code` is set.
  Task<bool> succeeds(HttpRequest request, HttpAnswer& answer, int& exit_code);

 private:
  HttpClient client_;
};

// Runs the work of one command to its end and returns its exit code, or that of what kept it from beginning.
int run_session(const ClientOptions& options, const TimeSource& time,
                const std::function<Task<int>(ClientSession&)>& work);

// "/store/" and the key, encoded: whatever its bytes are, they arrive as they are.
[[nodiscard]] std::string store_target(std::string_view key);

}  // namespace armazem::cli
