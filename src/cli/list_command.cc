#include <cerrno>
#include <cstring>

#include "cli/json_members.h"
#include "cli/query.h"
#include "cli/stream_commands.h"
#include "cli/terminal.h"

namespace armazem::cli {
namespace {

std::string list_target(const ClientOptions& options) {
  std::string target = "/store?prefix=" + encode_query(options.prefix);
  if (!options.values) target += "&keys_only=true";
  if (options.count) target += "&limit=" + std::to_string(*options.count);
  return target;
}

std::string text_of(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found = find_member(members, name);
  return found ? string_of(*found).value_or(std::string(*found)) : std::string();
}

// One line a key. A person sees control characters written out; a program gets the key as it is.
std::string line_of(const ClientOptions& options, const std::vector<JsonMember>& members) {
  const std::string key = text_of(members, "key");
  const std::string shown = is_terminal(stdout) ? printable(key) : key;
  if (!options.details) return shown + "\n";
  std::string size = text_of(members, "size");
  size.insert(0, size.size() < 10 ? 10 - size.size() : 0, ' ');
  return text_of(members, "version") + "  " + size + "  " + text_of(members, "content_type") + "  " + shown + "\n";
}

}  // namespace

Task<int> list_keys(ClientSession& session) {
  const ClientOptions& options = session.options;
  bool ended = false;
  std::string problem;
  LineSink sink([&](std::string_view line) -> Result<void> {
    const auto members = split_members(line);
    if (!members) return fail(ErrorCode::internal, "the answer is no list");
    ended = find_member(*members, "end").has_value();
    if (ended) return {};
    if (const auto found = find_member(*members, "problem")) {
      problem = *found;
      return fail(ErrorCode::unavailable, "the server could not go on with the list");
    }
    const std::string out = options.json ? std::string(line) + "\n" : line_of(options, *members);
    if (write_out(out)) return {};
    return fail(ErrorCode::invalid_argument, std::string("cannot write standard output: ") + std::strerror(errno));
  });
  const std::string target = list_target(options);
  const std::string headers = session.headers + "Accept: application/x-ndjson\r\n";
  HttpRequest request;
  request.target = target;
  request.headers = headers;
  request.sink = &sink;
  request.sink_patience = options.timeout;
  HttpAnswer answer;
  int exit_code = 0;
  const bool done = co_await session.succeeds(request, answer, exit_code);
  if (!done) co_return exit_code;
  if (!ended) co_return report(failure_of(Error(ErrorCode::unavailable, "the list ended before its end"), options.url), options.json);
  if (std::fflush(stdout) != 0) co_return client_exit::local_data;
  co_return client_exit::done;
}

}  // namespace armazem::cli
