// The command line: which command, and the settings from flags, environment and file.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "app/settings.h"
#include "cli/bench_options.h"
#include "cli/client_options.h"

namespace armazem {

enum class Command { serve, worker, migrate, health, backup, dead_letters, keys, bench, client, print_settings };

struct DeadLettersRequest {
  enum class What { list, show, replay, drop };
  What what = What::list;
  std::vector<std::uint64_t> numbers;  // of show, replay, drop
  bool all = false;                    // of replay, drop
  std::size_t limit = 100;             // of list
  bool json = false;
};

struct KeysRequest {
  enum class What { create, list, revoke };
  What what = What::list;
  std::string allow;                // of create, as the next four
  std::string prefix;
  std::vector<std::string> scopes;  // "read,write:orders/"
  std::string expires;              // "90d"; empty: never
  std::string note;
  std::vector<std::string> ids;     // of revoke
  bool json = false;                // of list
};

struct Invocation {
  Command command = Command::serve;
  Settings settings;
  bool markdown = false;             // print_settings
  DeadLettersRequest dead_letters;
  KeysRequest keys;
  cli::BenchOptions bench;
  cli::ClientOptions client;
  std::string backup_to;
};

// Nothing is left to do but to end the process: help was asked for, or something is wrong.
struct ExitRequest {
  int code = 0;
  std::string out;  // for standard output
  std::string err;  // for standard error
};

[[nodiscard]] std::variant<Invocation, ExitRequest> parse_command_line(int argc, char** argv, char** environment);

inline constexpr int exit_failure = 1;  // the work could not be done
inline constexpr int exit_usage = 2;    // the command line, the environment or the file is wrong

}  // namespace armazem
