// `armazem man`: the manual page, made from the commands and flags that the program has.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_tree.h"

namespace armazem::cli {

// In roff, with the macros of man(7), and ASCII only: readable by `man -l -`.
[[nodiscard]] std::string man_page(const CommandInfo& program, std::string_view version);

}  // namespace armazem::cli
