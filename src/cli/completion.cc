#include "cli/completion.h"

#include <algorithm>
#include <vector>

namespace armazem::cli {
namespace {

// The patterns of one `case`: "a b"|"a c". Nothing but our own names stands in them.
class Patterns {
 public:
  void add(const std::string& text) { text_ += (text_.empty() ? "\"" : "|\"") + text + "\""; }
  // One branch of the case, if there is any pattern.
  [[nodiscard]] std::string branch(const std::string& action) const {
    return text_.empty() ? "" : "    " + text_ + ")\n      " + action + " ;;\n";
  }

 private:
  std::string text_;
};

std::string offer(const std::string& words) {
  return "mapfile -t COMPREPLY < <(compgen -W '" + words + "' -- \"$current\")";
}

struct Branches {
  Patterns commands;
  Patterns files;
  Patterns directories;
  Patterns others;      // take a value that only the user knows
  std::string choices;  // branches, one for each
  std::string words;    // branches: what each command may be followed by
};

void collect(const CommandInfo& command, Branches& branches) {
  std::string words;
  const auto add_word = [&words](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
  for (const CommandInfo& below : command.commands) {
    branches.commands.add(below.path);
    add_word(below.name);
  }
  for (const FlagInfo& flag : command.flags) {
    const std::string place = command.path + " " + flag.name;
    const bool choice = flag.value.find('|') != flag.value.npos;
    std::string choices = flag.value;
    std::ranges::replace(choices, '|', ' ');
    if (flag.positional) {
      if (!choices.empty()) add_word(choices);
      continue;
    }
    add_word(flag.name);
    if (flag.value.empty()) continue;
    Patterns one;
    one.add(place);
    if (choice) branches.choices += one.branch(offer(choices) + "; return");
    else if (flag.value == "file") branches.files.add(place);
    else if (flag.value == "directory") branches.directories.add(place);
    else branches.others.add(place);
  }
  Patterns here;
  here.add(command.path);
  branches.words += here.branch(offer(words));
  for (const CommandInfo& below : command.commands) collect(below, branches);
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
  Branches branches;
  collect(program, branches);
  std::string script = "# Completion of bash for " + program.name +
                       ". Made by the program itself; to use it:\n"
                       "#   source <(" +
                       program.name +
                       " completion bash)\n"
                       "_" +
                       program.name +
                       "() {\n"
                       "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path=" +
                       program.name +
                       " word\n"
                       "  COMPREPLY=()\n"
                       "  # --flag=value comes as three words.\n"
                       "  if [[ $current == '=' ]]; then current=''; fi\n"
                       "  if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                       "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                       "    case \"$path $word\" in\n";
  script += branches.commands.branch("path=\"$path $word\"");
  script += "    esac\n  done\n  case \"$path $before\" in\n";
  script += branches.files.branch("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); return");
  script +=
      branches.directories.branch("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\"); return");
  script += branches.choices;
  script += branches.others.branch("return");
  script += "  esac\n  case \"$path\" in\n" + branches.words + "  esac\n}\n";
  return script + "complete -F _" + program.name + " " + program.name + "\n";
}

}  // namespace armazem::cli
