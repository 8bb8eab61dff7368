// The flags of the client commands: what they are called and what they mean.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/client_options.h"

namespace armazem::cli {

// Adds the commands to the program; `options` must outlive the parsing, which throws CLI::ParseError for what is wrong.
void add_client_commands(CLI::App& program, ClientOptions& options);

}  // namespace armazem::cli
