#include "cli/man_page.h"

#include <cstdint>

#include "cli/client_options.h"

namespace armazem::cli {
namespace {

// The code point that begins at text[i], which is UTF-8; i goes to its last byte.
std::uint32_t take_code_point(std::string_view text, std::size_t& i) {
  const auto first = static_cast<std::uint8_t>(text[i]);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  std::uint32_t point = first & (0x3FU >> more);
  for (int n = 0; n < more && i + 1 < text.size(); ++n)
    point = point << 6 | (static_cast<std::uint8_t>(text[++i]) & 0x3FU);
  return point;
}

void append_hex(std::string& out, std::uint32_t number) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (int shift = number > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) out.push_back(digits[number >> shift & 15]);
}

// Text of ours as roff: nothing in it is a command, quotes and dashes are those of a shell.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins_line = i == 0 || text[i - 1] == '\n';
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\'') out += "\\(aq";
    else if (c == '`') out += "\\(ga";
    else if (c == '^') out += "\\(ha";
    else if (c == '~') out += "\\(ti";
    else if (static_cast<std::uint8_t>(c) < 0x80) out.push_back(c);
    else {
      out += "\\[u";
      append_hex(out, take_code_point(text, i));
      out += "]";
    }
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string without_blank_ends(std::string_view text) {
  while (text.starts_with('\n')) text.remove_prefix(1);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text);
}

void add_flag(std::string& page, const FlagInfo& flag) {
  page += ".TP\n";
  page += flag.positional ? italic(flag.name) : bold(flag.name);
  if (!flag.positional && !flag.value.empty()) page += " " + italic(flag.value);
  page += "\n" + roff(flag.about) + "\n";
}

std::string usage(const CommandInfo& command) {
  std::string line = bold(command.path) + " [options]";
  if (!command.commands.empty()) return line + " " + italic("command");
  for (const FlagInfo& flag : command.flags) {
    if (flag.positional) line += " " + italic(flag.name);
  }
  return line;
}

// Examples and what stands below them, as --help shows them.
void add_footer(std::string& page, std::string_view footer) {
  if (footer.empty()) return;
  page += ".PP\n.nf\n" + roff(without_blank_ends(footer)) + "\n.fi\n";
}

void add_command(std::string& page, const CommandInfo& command) {
  page += ".SS " + roff(command.path) + "\n" + usage(command) + "\n.PP\n" + roff(command.about) + "\n";
  for (const FlagInfo& flag : command.flags) {
    if (flag.name != "--help") add_flag(page, flag);
  }
  add_footer(page, command.footer);
  for (const CommandInfo& below : command.commands) add_command(page, below);
}

void add_entry(std::string& page, std::string_view name, std::string_view about) {
  page += ".TP\n" + bold(name) + "\n" + roff(about) + "\n";
}

void add_environment(std::string& page) {
  page += ".SH ENVIRONMENT\n";
  add_entry(page, url_variable, "Of client commands: the server, when --url is not given.");
  add_entry(page, api_key_variable, "Of client commands: the API key that is sent with each request.");
  add_entry(page, api_key_file_variable, "Of client commands: a file that holds it, when --api-key-file is not given.");
  add_entry(page, "NO_COLOR", "No colours, on a terminal either.");
  add_entry(
      page, "ARMAZEM_*",
      "Every setting of serve, worker and the other commands of a server has a variable of its name; 'armazem settings' lists them. A variable that is not understood is an error.");
}

void add_exit_status(std::string& page) {
  page += ".SH EXIT STATUS\n";
  add_entry(page, "0", "Done.");
  add_entry(
      page, "1",
      "Of get and delete: nothing is stored under the key. Of commands of a server and of bench: it could not be done.");
  add_entry(page, "2", "The command line, the environment or the configuration file is wrong.");
  add_entry(page, "3", "Of client commands: the server refused it (4xx).");
  add_entry(page, "4",
            "Of client commands: no server, no answer in time, or one that cannot serve now (5xx, 408, 429).");
  add_entry(page, "5", "Of client commands: the condition does not hold (412; 304).");
  add_entry(page, "6",
            "Of client commands: a file on this side cannot be read or written, or does not hold what it should.");
}

}  // namespace

std::string man_page(const CommandInfo& program, std::string_view version) {
  std::string page =
      ".\\\" Made by 'armazem man'.\n.TH ARMAZEM 1 \"\" \"armazem " + roff(version) + "\" \"User Commands\"\n";
  page += ".SH NAME\narmazem \\- a durable key\\-value store with a REST API, and its client\n";
  page += ".SH SYNOPSIS\n" + usage(program) + "\n";
  page += ".SH DESCRIPTION\n" + roff(program.about) + "\n.SH COMMANDS\n";
  for (const CommandInfo& command : program.commands) add_command(page, command);
  page += ".SH EXAMPLES\n.nf\n" + roff(without_blank_ends(program.footer)) + "\n.fi\n";
  add_environment(page);
  add_exit_status(page);
  return page;
}

}  // namespace armazem::cli
