// What the parser of the command line knows of its commands and flags, in the words of those who write about them: the
// completion and the manual page come from here, so that neither can be behind the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace armazem::cli {

struct FlagInfo {
  std::string name;   // "--url"; of a positional "KEY"
  std::string value;  // what it takes: "file", "cached|strong"; empty when nothing
  std::string about;
  bool positional = false;
};

struct CommandInfo {
  std::string path;  // "armazem deadletters list"
  std::string name;
  std::string about;
  std::string footer;
  std::vector<FlagInfo> flags;
  std::vector<CommandInfo> commands;
};

[[nodiscard]] CommandInfo describe(const CLI::App& program);

}  // namespace armazem::cli
