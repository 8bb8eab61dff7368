// `armazem completion bash`: a script for the shell, made from the commands and flags that the program has.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace armazem::cli {

[[nodiscard]] std::string bash_completion(const CommandInfo& program);

}  // namespace armazem::cli
