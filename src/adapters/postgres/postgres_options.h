#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "core/limits.h"

namespace armazem {

struct PostgresOptions {
  // postgres://USER:PASSWORD@HOST:PORT[,HOST:PORT…]/DATABASE[?…]; also postgresql://, cockroachdb://. What follows '?'
  // goes to libpq as it is (sslmode, sslrootcert, options …). With several hosts each connection takes the first that
  // answers and accepts writes; target_session_attrs=any would let it read from a standby that lags behind.
  std::string url;
  // Each answers the gets that gather while its last ones are on their way.
  std::size_t read_connections_per_loop = 1;
  // In all, spread over the loops; each holds one transaction, scan or purge step at a time.
  std::size_t write_connections = 4;
  // Of the change log; older ones are dropped by purge.
  std::size_t changes_kept = limits::changes_kept;
  // Calls that wait for a connection, per loop, reads and writes apart; beyond them a call is refused as overloaded.
  std::size_t waiters_max = 4096;
  std::chrono::milliseconds connect_timeout{3000};
  // Enforced by the server, against statements that outlive their client.
  std::chrono::milliseconds statement_timeout{5000};
  // Unacknowledged data on the connection for that long means that the server's machine is gone.
  std::chrono::milliseconds tcp_user_timeout{5000};
  // A connection is replaced at a random age between these, so that load finds new nodes.
  std::chrono::seconds lifetime_min{300};
  std::chrono::seconds lifetime_max{600};
  std::string application_name = "armazem";
};

}  // namespace armazem
