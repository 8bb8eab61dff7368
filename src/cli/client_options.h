// What the client commands (get, put, delete, …) were asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace armazem::cli {

enum class ClientCommand : std::uint8_t { get, put, remove, list, watch, export_all, import_all };

// Exit codes that scripts can tell apart; docs/client.md and every --help list them.
namespace client_exit {
inline constexpr int done = 0;
inline constexpr int not_found = 1;
inline constexpr int usage = 2;
inline constexpr int refused = 3;           // by the server: 4xx, and what could not be made sense of
inline constexpr int unavailable = 4;       // no server, no answer in time, or 5xx
inline constexpr int condition_failed = 5;  // 412, and 304
inline constexpr int local_data = 6;        // a file that cannot be read or written, or does not hold what it should
}  // namespace client_exit

// The variables that client commands understand, beside the flags that win over them.
inline constexpr std::string_view url_variable = "ARMAZEM_URL";
inline constexpr std::string_view api_key_variable = "ARMAZEM_API_KEY";
inline constexpr std::string_view api_key_file_variable = "ARMAZEM_API_KEY_FILE";
[[nodiscard]] constexpr bool is_client_variable(std::string_view name) noexcept {
  return name == url_variable || name == api_key_variable || name == api_key_file_variable;
}

struct ClientOptions {
  std::optional<ClientCommand> command;  // set when one of them was asked for

  std::string url = "http://127.0.0.1:8000";
  std::string api_key;  // from the environment only: what stands on a command line stands in `ps`, too
  std::string api_key_file;
  std::chrono::milliseconds timeout{30'000};
  bool json = false;

  std::string key;
  std::optional<std::string> value;  // of put; "-": standard input
  std::string file;                  // of put: to read
  std::string output;                // of get: to write
  std::optional<std::chrono::milliseconds> ttl;
  std::optional<std::string> content_type;
  std::string if_match;
  std::string if_none_match;
  bool create_only = false;
  bool strong = false;
  std::string min_version;

  std::string prefix;                // of list, watch and export
  std::string from_event;            // of watch: go on behind it
  std::optional<std::uint64_t> count;  // of list and watch: no more than these
  bool details = false;              // of list
  bool values = false;               // of list
  std::string path = "-";            // of export: to write; of import: to read
  bool resume = false;               // of export
  std::uint64_t skip = 0;            // of import: lines
  bool dry_run = false;              // of import
  bool quiet = false;                // of export and import
};

}  // namespace armazem::cli
