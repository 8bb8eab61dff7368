#include "cli/client_flags.h"

#include <algorithm>
#include <string>

#include "cli/bench_values.h"
#include "cli/flag_values.h"
#include "core/key.h"

namespace armazem::cli {
namespace {

constexpr std::string_view exit_codes =
    "\nExit code: 0; 1 nothing is stored under the key; 2 the options are wrong; 3 the server refused it; 4 no server, no\n"
    "answer in time, or one that cannot serve now; 5 the condition does not hold; 6 a file on this side cannot be used.\n";

constexpr std::string_view get_examples =
    "\nExamples:\n"
    "  armazem get greetings/pt\n"
    "  armazem get pic.png --output pic.png\n"
    "  armazem get config --json | jq .version\n"
    "  armazem get config --if-none-match 01a20aa1-2b37-7000-b98c-a39308cd9663   exit code 5 while it is still that one\n";

constexpr std::string_view put_examples =
    "\nExamples:\n"
    "  armazem put greetings/pt 'Olá'                            prints the new version\n"
    "  armazem put pic.png --file pic.png --content-type image/png\n"
    "  pg_dump shop | gzip | armazem put backup/shop -\n"
    "  armazem put session/42 '{\"user\":7}' --content-type application/json --ttl 30m\n"
    "  armazem put lock/nightly \"$HOSTNAME\" --create-only --ttl 1h || exit    only one of all machines goes on\n"
    "  armazem put -- key -5                                     what begins with a dash stands behind --\n";

constexpr std::string_view delete_examples =
    "\nExamples:\n"
    "  armazem delete greetings/pt\n"
    "  armazem delete lock/nightly --if-match \"$version\"         only if it is still mine\n";

constexpr std::string_view list_examples =
    "\nExamples:\n"
    "  armazem list orders/\n"
    "  armazem list orders/ --long --limit 20\n"
    "  armazem list --json --values | jq -r .value\n";

constexpr std::string_view watch_examples =
    "\nExamples:\n"
    "  armazem watch orders/\n"
    "  armazem watch --key config --count 1 && systemctl reload shop\n"
    "  armazem watch --json | jq -r 'select(.event == \"put\") | .key'\n"
    "A connection that breaks is made again, behind the last event that was shown.\n";

constexpr std::string_view export_examples =
    "\nExamples:\n"
    "  armazem export --to shop.ndjson.gz\n"
    "  armazem export --prefix orders/ --to orders.ndjson --resume      goes on where an earlier one was cut\n"
    "  armazem export --url http://old:8000 | armazem import --url http://new:8000\n";

constexpr std::string_view import_examples =
    "\nExamples:\n"
    "  armazem import --from shop.ndjson.gz\n"
    "  armazem import --from shop.ndjson --dry-run\n"
    "Versions and expiry are kept; what is newer at the server stays. Doing it twice does nothing the second time.\n"
    "With API keys it needs one with the right 'admin'.\n";

// What goes into a header line must not begin another one.
void check_header_values(const ClientOptions& options) {
  const auto check = [](const char* flag, std::string_view text) {
    const bool plain = std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == 0x7F; });
    if (!plain) throw CLI::ValidationError(flag, "must not hold control characters");
  };
  check("--content-type", options.content_type.value_or(""));
  check("--if-match", options.if_match);
  check("--if-none-match", options.if_none_match);
  check("--min-version", options.min_version);
}

void check_key(const std::string& key) {
  const auto parsed = Key::parse(key);
  if (!parsed) throw CLI::ValidationError("KEY", parsed.error().message);
}

void add_common(CLI::App& command, ClientOptions& options) {
  command.add_option("--url", options.url, "The server: http://HOST:PORT [http://127.0.0.1:8000; ARMAZEM_URL]")
      ->type_name("url");
  command
      .add_option(
          "--api-key-file", options.api_key_file,
          "File that holds the API key; the key itself may stand in ARMAZEM_API_KEY [none; ARMAZEM_API_KEY_FILE]")
      ->type_name("file");
  add_parsed<std::chrono::milliseconds>(command, "timeout", options.timeout, "What an answer may take [30s]", "time",
                                        parse_duration);
  command.add_flag("--json", options.json, "The result, or the problem, as one JSON object");
}

CLI::App& add_key_command(CLI::App& program, ClientOptions& options, ClientCommand what, const std::string& name,
                          const std::string& about, std::string_view examples) {
  CLI::App& command = *program.add_subcommand(name, about);
  command.footer(std::string(examples) + std::string(exit_codes));
  command.add_option("KEY", options.key, "Any key; it is encoded for the path as it stands")->required()->type_name("");
  command.callback([&options, what] {
    check_key(options.key);
    check_header_values(options);
    if (what == ClientCommand::put && !options.value && options.file.empty()) {
      throw CLI::ValidationError("VALUE", "is missing: give it, or --file, or '-' for standard input");
    }
    options.command = what;
  });
  return command;
}

CLI::Option* add_if_match(CLI::App& command, ClientOptions& options) {
  return command.add_option("--if-match", options.if_match, "Only if it has this version now, or any: '*'")
      ->type_name("version");
}

void add_get(CLI::App& program, ClientOptions& options) {
  CLI::App& get = add_key_command(program, options, ClientCommand::get, "get",
                                  "Print the value of a key, byte for byte.", get_examples);
  get.add_option("--output", options.output, "Write it here, not to standard output")->type_name("file");
  get.add_option("--if-none-match", options.if_none_match, "Only if it has another version than this one")
      ->type_name("version");
  get.add_flag("--strong", options.strong, "The newest value, linearizable, past any cache");
  get.add_option("--min-version", options.min_version, "Not older than this version of the key")->type_name("version");
  add_common(get, options);
}

Result<std::chrono::milliseconds> parse_ttl(std::string_view text) {
  Result<std::chrono::milliseconds> span = parse_duration(text);
  if (!span || (span->count() >= 1000 && span->count() % 1000 == 0)) return span;
  return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is not a whole number of seconds");
}

void add_put(CLI::App& program, ClientOptions& options) {
  CLI::App& put = add_key_command(program, options, ClientCommand::put, "put",
                                  "Store a value under a key, and print its version.", put_examples);
  CLI::Option* const value = put.add_option("VALUE", options.value, "The value; '-' for standard input")->type_name("");
  put.add_option("--file", options.file, "Take the value from here")->type_name("file")->excludes(value);
  put.add_option("--content-type", options.content_type,
                 "Kept with the value [text/plain; charset=utf-8 for VALUE, else application/octet-stream]")
      ->type_name("type");
  add_parsed<std::chrono::milliseconds>(put, "ttl", options.ttl, "The key is gone after this [never]", "time",
                                        parse_ttl);
  CLI::Option* const match = add_if_match(put, options);
  CLI::Option* const create = put.add_flag("--create-only", options.create_only, "Only if nothing is stored under it");
  match->excludes(create);
  put.add_option("--if-none-match", options.if_none_match, "'*' is --create-only")
      ->type_name("'*'")
      ->check(CLI::IsMember({"*"}).description(""))
      ->excludes(match)
      ->excludes(create);
  add_common(put, options);
}

CLI::App& add_command(CLI::App& program, ClientOptions& options, ClientCommand what, const std::string& name,
                      const std::string& about, std::string_view examples) {
  CLI::App& command = *program.add_subcommand(name, about);
  command.footer(std::string(examples) + std::string(exit_codes));
  command.callback([&options, what] {
    check_header_values(options);
    options.command = what;
  });
  return command;
}

void add_list(CLI::App& program, ClientOptions& options) {
  CLI::App& list = add_command(program, options, ClientCommand::list, "list", "Print the keys that begin with a prefix, in byte order.", list_examples);
  list.add_option("PREFIX", options.prefix, "What they begin with [everything]")->type_name("");
  list.add_option("--limit", options.count, "No more than these")->type_name("number")->check(CLI::PositiveNumber.description(""));
  list.add_flag("--long", options.details, "With version, size and content type");
  list.add_flag("--values", options.values, "With --json: the values too");
  add_common(list, options);
}

void add_watch(CLI::App& program, ClientOptions& options) {
  CLI::App& watch = add_command(program, options, ClientCommand::watch, "watch", "Print changes as they happen.", watch_examples);
  CLI::Option* const prefix = watch.add_option("PREFIX", options.prefix, "Only of keys that begin so [everything]")->type_name("");
  watch.add_option("--key", options.key, "Only of this key")->type_name("key")->excludes(prefix);
  watch.add_option("--from", options.from_event, "Go on behind this event: an id that a watch has told")->type_name("id");
  watch.add_option("--count", options.count, "End after so many events")->type_name("number")->check(CLI::PositiveNumber.description(""));
  add_common(watch, options);
}

void add_transfers(CLI::App& program, ClientOptions& options) {
  CLI::App& out = add_command(program, options, ClientCommand::export_all, "export", "Write all keys with versions and expiry, one JSON object a line.", export_examples);
  out.add_option("--prefix", options.prefix, "Only keys that begin so [everything]")->type_name("prefix");
  out.add_option("--to", options.path, "File to write, compressed if it ends in .gz; '-' for standard output [-]")->type_name("file");
  out.add_flag("--resume", options.resume, "Go on with FILE.partial, which an earlier one has left");
  out.add_flag("--quiet", options.quiet, "Neither progress nor summary");
  add_common(out, options);
  CLI::App& in = add_command(program, options, ClientCommand::import_all, "import", "Store what an export has written.", import_examples);
  in.add_option("--from", options.path, "File to read, compressed or not; '-' for standard input [-]")->type_name("file");
  in.add_option("--skip", options.skip, "Lines to pass over at the begin [0]")->type_name("number");
  in.add_flag("--dry-run", options.dry_run, "Only read and check the file");
  in.add_flag("--quiet", options.quiet, "Neither progress nor summary");
  add_common(in, options);
}

}  // namespace

void add_client_commands(CLI::App& program, ClientOptions& options) {
  add_get(program, options);
  add_put(program, options);
  CLI::App& remove =
      add_key_command(program, options, ClientCommand::remove, "delete", "Remove a key.", delete_examples);
  add_if_match(remove, options);
  add_common(remove, options);
  add_list(program, options);
  add_watch(program, options);
  add_transfers(program, options);
}

}  // namespace armazem::cli
