#include "app/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "cli/bench_flags.h"
#include "cli/client_flags.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "runtime/build_info.h"

namespace armazem {
namespace {

constexpr std::string_view examples =
    "\nExamples:\n"
    "  armazem serve                                  REST API on http://127.0.0.1:8000, data in ./data\n"
    "  armazem serve --port 9000 --data /srv/armazem\n"
    "  ARMAZEM_LOG_LEVEL=debug armazem serve --config armazem.toml\n"
    "  armazem put hello world && armazem get hello   or, from anywhere:\n"
    "  curl -X PUT localhost:8000/store/hello -H 'Content-Type: text/plain' -d world\n"
    "  armazem backup --data /srv/armazem --to /backup/monday   also while it serves\n"
    "\nOne of several servers on shared tiers (passwords belong in a file or the environment):\n"
    "  armazem migrate --config cluster.toml          creates tables and queues; may run again\n"
    "  armazem serve --config cluster.toml\n"
    "  armazem worker --config cluster.toml\n"
    "  armazem deadletters list --config cluster.toml\n"
    "\nFor others than this machine, with API keys ('armazem keys --help' has more):\n"
    "  armazem keys create --keys keys.jsonl --allow read,write,delete\n"
    "  armazem serve --listen 0.0.0.0 --keys keys.jsonl\n"
    "\nHow fast is it? 'armazem bench --help' has more:\n"
    "  armazem bench --url http://127.0.0.1:8000 --rate 1000 --duration 30s\n";

constexpr std::string_view worker_port = "8100";  // so that one machine may run both with their defaults

using Texts = std::map<std::string_view, std::string>;

bool is_for(const Setting& setting, Command command) {
  if (command == Command::backup) return setting.name == "data";
  if (command == Command::keys) return setting.name == "keys";
  switch (setting.commands) {
    case For::serve: return command == Command::serve;
    case For::worker: return command == Command::worker;
    case For::serve_worker: return command == Command::serve || command == Command::worker;
    case For::address: return command == Command::serve || command == Command::worker || command == Command::health;
    case For::all: return command != Command::health;
  }
  return true;
}

void add_flags(CLI::App& command, Command kind, Texts& flags, std::string& config) {
  command.add_option("--config", config, "Configuration file (TOML) with lines like: port = \"9000\" [none; ARMAZEM_CONFIG]")->type_name("file");
  for (const Setting& setting : all_settings()) {
    if (!is_for(setting, kind)) continue;
    const std::string name(setting.name);
    std::string about = std::string(setting.meaning) + " [" + std::string(setting.default_value) + "; " + environment_name(name) + "]";
    if (setting.kind == "flag") {
      command.add_flag("--" + name, flags[setting.name], about);
    } else {
      command.add_option("--" + name, flags[setting.name], about)->type_name(std::string(setting.kind));
    }
  }
}

const Setting* find_setting(std::string_view name) {
  const auto settings = all_settings();
  const auto found = std::ranges::find(settings, name, &Setting::name);
  return found == settings.end() ? nullptr : &*found;
}

// The file is TOML: setting = "value", with the names of the flags.
std::optional<std::string> read_file(const std::string& path, Texts& values) {
  std::ifstream file(path);
  if (!file) return "cannot read the configuration file " + path;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(file)) {
    if (item.name == "++" || item.name == "--") continue;  // CLI11's marks for the begin and end of a section
    const Setting* setting = item.parents.empty() ? find_setting(item.name) : nullptr;
    if (setting == nullptr) return path + ": unknown setting '" + item.fullname() + "'; 'armazem settings' lists those that are understood";
    if (item.inputs.size() != 1) return path + ": '" + item.name + "' needs one value";
    if (!values.emplace(setting->name, item.inputs.front()).second) return path + ": '" + item.name + "' is set twice";
  }
  return std::nullopt;
}

// The variables of client commands are no settings. Where they would silently do nothing, and be taken for a lock, they
// are refused.
std::optional<std::string> refuse_client_variable(std::string_view name, Command command) {
  if (command != Command::serve && command != Command::worker) return std::nullopt;
  const std::string quoted(name);
  if (name == cli::url_variable) {
    return quoted + " is for client commands (armazem get, put, …); a server listens where ARMAZEM_LISTEN and ARMAZEM_PORT say. Unset it here";
  }
  return quoted + " is the key that client commands (armazem get, put, …) send; it protects no server. Unset it here";
}

// A client has no settings, but may share its environment with a server.
std::optional<std::string> read_client_environment(char** environment, cli::ClientOptions& given) {
  for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (!name.starts_with("ARMAZEM_") || name == "ARMAZEM_CONFIG") continue;
    const std::string_view value = text.substr(std::min(text.size(), name.size() + 1));
    const auto known = [name](const Setting& setting) { return environment_name(setting.name) == name; };
    if (name == cli::url_variable) given.url = value;
    else if (name == cli::api_key_variable) given.api_key = value;
    else if (name == cli::api_key_file_variable) given.api_key_file = value;
    else if (std::ranges::none_of(all_settings(), known)) {
      return "unknown environment variable " + std::string(name) + "; a client understands ARMAZEM_URL, ARMAZEM_API_KEY and ARMAZEM_API_KEY_FILE";
    }
  }
  return std::nullopt;
}

// Every ARMAZEM_ variable must mean something: a misspelt one would silently do nothing.
std::optional<std::string> read_environment(char** environment, Command command, Texts& values, std::string& config) {
  constexpr std::string_view prefix = "ARMAZEM_";
  for (char** entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with(prefix)) continue;
    const std::string_view name = text.substr(0, text.find('='));
    if (name == "ARMAZEM_CONFIG") {
      if (config.empty()) config = text.substr(name.size() + 1);
      continue;
    }
    if (cli::is_client_variable(name)) {
      if (auto refused = refuse_client_variable(name, command)) return refused;
      continue;
    }
    const auto settings = all_settings();
    const auto known = std::ranges::find_if(settings, [name](const Setting& s) { return environment_name(s.name) == name; });
    if (known == settings.end()) {
      return "unknown environment variable " + std::string(name) + "; 'armazem settings' lists those that are understood";
    }
    values[known->name] = text.substr(name.size() + 1);
  }
  return std::nullopt;
}

ExitRequest usage_error(const std::string& what) { return {exit_usage, "", "armazem: " + what + "\n"}; }

// The first source that names a setting wins.
std::variant<Settings, ExitRequest> combine(const CLI::App& command, Command kind, const Texts& flags,
                                            const Texts& environment, const Texts& file) {
  Settings settings;
  for (const Setting& setting : all_settings()) {
    std::string_view value = setting.default_value;
    if (kind == Command::worker && setting.name == "port") value = worker_port;
    if (const auto found = file.find(setting.name); found != file.end()) value = found->second;
    if (const auto found = environment.find(setting.name); found != environment.end()) value = found->second;
    if (is_for(setting, kind) && command.count("--" + std::string(setting.name)) > 0) value = flags.at(setting.name);
    if (auto done = apply_setting(setting, value, settings); !done) return usage_error(done.error().message);
  }
  if (kind == Command::serve) {
    if (auto done = check_access_settings(settings); !done) return usage_error(done.error().message);
  }
  return settings;
}

constexpr std::string_view keys_examples =
    "\nExamples:\n"
    "  armazem keys create --keys keys.jsonl --allow read,write,delete --prefix orders/ --note 'order service'\n"
    "  armazem keys create --keys keys.jsonl --scope read:orders/ --scope read,write:reports/ --expires 90d\n"
    "  armazem keys create --keys keys.jsonl --allow admin --note prometheus\n"
    "  armazem keys list --keys keys.jsonl\n"
    "  armazem keys revoke --keys keys.jsonl 0123456789abcdef\n"
    "  curl -H \"Authorization: Bearer $KEY\" localhost:8000/store/orders/1\n";

void add_keys(CLI::App& keys, KeysRequest& request, Texts& flags, std::string& config) {
  using What = KeysRequest::What;
  keys.require_subcommand(1);
  keys.footer(std::string(keys_examples));
  const auto add = [&](const char* name, const char* about, What what) -> CLI::App& {
    CLI::App& command = *keys.add_subcommand(name, about);
    command.callback([&request, what] { request.what = what; });
    command.footer(std::string(keys_examples));
    add_flags(command, Command::keys, flags, config);
    return command;
  };
  CLI::App& create = add("create", "Make a key and print it: the only time that it can be seen.", What::create);
  create.add_option("--allow", request.allow, "Rights, with commas between: read, write, delete, admin.")->type_name("rights");
  create.add_option("--prefix", request.prefix, "Of --allow: only for keys that begin so. Without it: for all.")->type_name("prefix");
  create.add_option("--scope", request.scopes, "Rights and prefix in one, as read,write:orders/; may be repeated.")->type_name("scope")->allow_extra_args(false);
  create.add_option("--expires", request.expires, "Time to live, as 90d or 24h. Without it: until it is revoked.")->type_name("time");
  create.add_option("--note", request.note, "What the key is for; shown by list.")->type_name("text");
  add("list", "One line each: id, state, expiry, scopes, note.", What::list).add_flag("--json", request.json, "One JSON object a line.");
  add("revoke", "Take keys out of force, for ever.", What::revoke).add_option("id", request.ids, "The part of the key before the dot.")->required();
}

void add_dead_letters(CLI::App& dead, DeadLettersRequest& request, Texts& flags, std::string& config) {
  using What = DeadLettersRequest::What;
  dead.require_subcommand(1);
  const auto add = [&](const char* name, const char* about, What what) -> CLI::App& {
    CLI::App& command = *dead.add_subcommand(name, about);
    command.callback([&request, what] { request.what = what; });
    add_flags(command, Command::dead_letters, flags, config);
    return command;
  };
  CLI::App& list = add("list", "One line each, oldest first.", What::list);
  list.add_option("--limit", request.limit, "At most so many.")->check(CLI::Range(1, 10'000))->capture_default_str();
  list.add_flag("--json", request.json, "One JSON object a line.");
  CLI::App& show = add("show", "Everything that is known of some.", What::show);
  show.add_option("number", request.numbers, "Numbers as in list.")->required();
  CLI::App& replay = add("replay", "Send to the queue again, with a new stamp, then remove.", What::replay);
  CLI::App& drop = add("drop", "Remove for ever.", What::drop);
  for (CLI::App* command : {&replay, &drop}) {
    CLI::Option* const numbers = command->add_option("number", request.numbers, "Numbers as in list.");
    command->add_flag("--all", request.all, "All of them.")->excludes(numbers);
  }
}

}  // namespace

std::variant<Invocation, ExitRequest> parse_command_line(int argc, char** argv, char** environment) {
  CLI::App app{"Armazém: a durable key-value store with a REST API, from one process to a cluster.", "armazem"};
  app.set_version_flag("--version", "armazem " + std::string(build::version) + " (" + std::string(build::commit) + ")");
  app.footer(std::string(examples));
  Texts flags;
  Texts variables;
  Texts file;
  std::string config;
  CLI::App& serve = *app.add_subcommand("serve", "Serve the REST API until SIGTERM or SIGINT.");
  add_flags(serve, Command::serve, flags, config);
  CLI::App& worker = *app.add_subcommand("worker", "Apply what the queue holds, until SIGTERM or SIGINT.");
  add_flags(worker, Command::worker, flags, config);
  CLI::App& migrate = *app.add_subcommand("migrate", "Create or upgrade the tables of --store and the queues of --queue.");
  add_flags(migrate, Command::migrate, flags, config);
  CLI::App& health = *app.add_subcommand("health", "Ask the server or worker at --listen and --port whether it is ready; exit code 0 or 1.");
  add_flags(health, Command::health, flags, config);
  Invocation invocation;
  CLI::App& backup = *app.add_subcommand("backup", "Copy the data directory of the embedded store, also while a server works in it.");
  add_flags(backup, Command::backup, flags, config);
  backup.add_option("--to", invocation.backup_to, "Directory to make; must not exist yet, or be empty.")->required()->type_name("directory");
  CLI::App& dead = *app.add_subcommand("deadletters", "Look at, replay or drop writes that could never be applied.");
  add_dead_letters(dead, invocation.dead_letters, flags, config);
  CLI::App& keys = *app.add_subcommand("keys", "Make, list and revoke API keys.");
  add_keys(keys, invocation.keys, flags, config);
  CLI::App& bench = *app.add_subcommand("bench", "Load test of a server or cluster: throughput, latency percentiles, errors.");
  cli::add_bench_flags(bench, invocation.bench);
  cli::add_client_commands(app, invocation.client);
  CLI::App& settings = *app.add_subcommand("settings", "List every setting with its default and meaning.");
  settings.add_flag("--markdown", invocation.markdown, "As the table of docs/configuration.md.");
  CLI::App& completion = *app.add_subcommand("completion", "Print the completion of a shell: source <(armazem completion bash)");
  std::string shell;
  completion.add_option("SHELL", shell, "Which shell")->required()->type_name("bash")->check(CLI::IsMember({"bash"}).description(""));
  CLI::App& man = *app.add_subcommand("man", "Print the manual page: armazem man | man -l -");

  const auto wrong_environment = read_client_environment(environment, invocation.client);  // flags are read over it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return ExitRequest{code == 0 ? 0 : exit_usage, out.str(), err.str()};
  }
  if (app.get_subcommands().empty()) return ExitRequest{exit_usage, "", app.help()};
  if (settings.parsed()) {
    invocation.command = Command::print_settings;
    return invocation;
  }
  if (completion.parsed()) return ExitRequest{0, cli::bash_completion(cli::describe(app)), ""};
  if (man.parsed()) return ExitRequest{0, cli::man_page(cli::describe(app), build::version), ""};
  if (invocation.client.command) {
    if (wrong_environment) return usage_error(*wrong_environment);
    invocation.command = Command::client;
    return invocation;
  }
  if (bench.parsed()) {  // a client: it has no settings
    invocation.command = Command::bench;
    return invocation;
  }
  const CLI::App* chosen = &serve;
  if (worker.parsed()) invocation.command = Command::worker, chosen = &worker;
  if (migrate.parsed()) invocation.command = Command::migrate, chosen = &migrate;
  if (backup.parsed()) invocation.command = Command::backup, chosen = &backup;
  if (health.parsed()) invocation.command = Command::health, chosen = &health;
  if (dead.parsed()) invocation.command = Command::dead_letters, chosen = dead.get_subcommands().front();
  if (keys.parsed()) invocation.command = Command::keys, chosen = keys.get_subcommands().front();
  if (auto unknown = read_environment(environment, invocation.command, variables, config)) return usage_error(*unknown);
  if (!config.empty()) {
    if (auto wrong = read_file(config, file)) return usage_error(*wrong);
  }
  auto combined = combine(*chosen, invocation.command, flags, variables, file);
  if (auto* exit = std::get_if<ExitRequest>(&combined)) return std::move(*exit);
  invocation.settings = std::get<Settings>(std::move(combined));
  return invocation;
}

}  // namespace armazem
