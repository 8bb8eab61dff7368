#include "cli/command_tree.h"

namespace armazem::cli {
namespace {

FlagInfo describe_flag(const CLI::Option& option) {
  FlagInfo flag;
  flag.positional = option.get_positional();
  flag.name = flag.positional ? option.get_name(true) : "--" + option.get_lnames().front();
  if (option.get_items_expected_max() > 0 && option.get_type_size() != 0) flag.value = option.get_type_name();
  flag.about = option.get_description();
  if (!option.get_default_str().empty()) flag.about += " [" + option.get_default_str() + "]";
  return flag;
}

CommandInfo describe_command(const CLI::App& command, const std::string& parent) {
  CommandInfo info;
  info.name = command.get_name();
  info.path = parent.empty() ? info.name : parent + " " + info.name;
  info.about = command.get_description();
  info.footer = command.get_footer();
  for (const CLI::Option* option : command.get_options({})) info.flags.push_back(describe_flag(*option));
  for (const CLI::App* below : command.get_subcommands({}))
    info.commands.push_back(describe_command(*below, info.path));
  return info;
}

}  // namespace

CommandInfo describe(const CLI::App& program) { return describe_command(program, ""); }

}  // namespace armazem::cli
