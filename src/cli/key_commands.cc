#include "cli/key_commands.h"

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "cli/terminal.h"
#include "core/base64.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "http/json_text.h"
#include "http/put_body.h"

namespace armazem::cli {
namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";

// Made by hand, not by a JSON library: a stored JSON value stays in it as it is, with every digit of its numbers.
class JsonLine {
 public:
  void text(std::string_view name, std::string_view value) {
    begin(name);
    http::append_json_string(line_, value);
  }
  void raw(std::string_view name, std::string_view value) {
    begin(name);
    line_.append(value);
  }
  [[nodiscard]] std::string end() && { return std::move(line_) + "}\n"; }
  std::string& begin(std::string_view name) {
    line_.append(line_.empty() ? "{\"" : ",\"").append(name).append("\":");
    return line_;
  }

 private:
  std::string line_;
};

// "\"x\"" or "W/\"x\"" without what is not the version.
std::string_view version_in(std::string_view etag) {
  const auto from = etag.find('"');
  if (from == etag.npos) return etag;
  etag.remove_prefix(from + 1);
  return etag.substr(0, etag.find('"'));
}

// A version may be given as it is printed, or with the quotes of an ETag.
std::string as_etag(std::string_view version) {
  if (version == "*" || version.find('"') != version.npos) return std::string(version);
  return "\"" + std::string(version) + "\"";
}

void add_header(std::string& headers, std::string_view name, std::string_view value) {
  headers.append(name).append(": ").append(value).append("\r\n");
}

bool is_json_type(std::string_view type) {
  const std::string_view essence = type.substr(0, type.find(';'));
  return essence == "application/json" || essence.ends_with("+json");
}

// As the server shows a value inside JSON: JSON as it is, text as a string, other bytes in base64.
void add_value(JsonLine& line, std::string_view bytes, std::string_view type) {
  if (is_json_type(type) && http::is_json(bytes)) {
    line.raw("value", bytes);
  } else if (is_utf8(bytes)) {
    line.text("value", bytes);
  } else {
    std::string& out = line.begin("value_base64");
    out.push_back('"');
    append_base64(out, bytes);
    out.push_back('"');
  }
}

std::string as_json(std::string_view key, const HttpAnswer& answer) {
  JsonLine line;
  line.text("key", key);
  line.text("version", version_in(answer.header("ETag").value_or("")));
  const std::string_view type = answer.header("Content-Type").value_or("");
  line.text("content_type", type);
  line.raw("size", std::to_string(answer.body.size()));
  if (const auto expires = answer.header("Armazem-Expires")) line.text("expires_at", *expires);
  if (const auto source = answer.header("Armazem-Source")) line.text("source", *source);
  add_value(line, answer.body, type);
  return std::move(line).end();
}

int write_value(const ClientOptions& options, const HttpAnswer& answer) {
  if (options.json) {
    if (write_out(as_json(options.key, answer)) && std::fflush(stdout) == 0) return client_exit::done;
  } else if (!options.output.empty()) {
    std::ofstream file(options.output, std::ios::binary);
    file << answer.body;
    if (file.flush()) return client_exit::done;
    return report(local_failure("cannot write " + options.output + ": " + std::strerror(errno)), options.json);
  } else {
    // A prompt belongs on a line of its own; whatever else reads gets the bytes and nothing more.
    const bool line_open = is_terminal(stdout) && !answer.body.ends_with('\n');
    if (write_out(answer.body) && (!line_open || write_out("\n")) && std::fflush(stdout) == 0) return client_exit::done;
  }
  return report(local_failure(std::string("cannot write standard output: ") + std::strerror(errno)), options.json);
}

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string bytes;
  char piece[64 * 1024];
  while (const std::size_t count = std::fread(piece, 1, sizeof piece, file)) {
    bytes.append(piece, count);
    if (bytes.size() > limits::value_bytes_max) {
      return fail(ErrorCode::invalid_argument, name + " has more bytes than any value may have (64 MiB)");
    }
  }
  if (std::ferror(file) != 0)
    return fail(ErrorCode::invalid_argument, "cannot read " + name + ": " + std::strerror(errno));
  return bytes;
}

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

Result<std::string> value_to_put(const ClientOptions& options) {
  if (options.file.empty()) return *options.value == "-" ? read_all(stdin, "standard input") : *options.value;
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(options.file.c_str(), "rb"));
  if (!file) {
    return fail(ErrorCode::invalid_argument, "cannot read " + options.file + ": " + std::strerror(errno));
  }
  return read_all(file.get(), options.file);
}

std::string type_to_put(const ClientOptions& options) {
  if (options.content_type) return *options.content_type;
  const bool typed = options.file.empty() && *options.value != "-";
  return std::string(typed ? text_type : "application/octet-stream");
}

std::string put_headers(const ClientSession& session) {
  const ClientOptions& options = session.options;
  std::string headers = session.headers;
  add_header(headers, "Content-Type", type_to_put(options));
  if (options.ttl) add_header(headers, "Armazem-TTL", std::to_string(options.ttl->count() / 1000));
  if (options.create_only) add_header(headers, "If-None-Match", "*");
  if (!options.if_none_match.empty()) add_header(headers, "If-None-Match", as_etag(options.if_none_match));
  if (!options.if_match.empty()) add_header(headers, "If-Match", as_etag(options.if_match));
  return headers;
}

int tell_write(const ClientOptions& options, const HttpAnswer& answer) {
  const std::string_view version = answer.header("Armazem-Version").value_or("");
  if (options.json) {
    JsonLine line;
    line.text("key", options.key);
    line.text("version", version);
    line.raw("status", std::to_string(answer.status));
    if (answer.status == 202) line.text("operation", answer.header("Location").value_or(""));
    if (!write_out(std::move(line).end())) return client_exit::local_data;
  } else if (options.command == ClientCommand::put) {
    if (!write_out(std::string(version) + "\n")) return client_exit::local_data;
  }
  if (answer.status == 202) std::fputs("armazem: kept in the queue, and not applied yet\n", stderr);
  return std::fflush(stdout) == 0 ? client_exit::done : client_exit::local_data;
}

}  // namespace

Task<int> get_key(ClientSession& session) {
  const ClientOptions& options = session.options;
  std::string headers = session.headers;
  if (!options.if_none_match.empty()) add_header(headers, "If-None-Match", as_etag(options.if_none_match));
  if (options.strong) add_header(headers, "Cache-Control", "no-cache");
  if (!options.min_version.empty()) add_header(headers, "Armazem-Min-Version", options.min_version);
  const std::string target = store_target(options.key) + "?raw";
  HttpRequest request;
  request.target = target;
  request.headers = headers;
  HttpAnswer answer;
  int exit_code = 0;
  const bool found = co_await session.succeeds(request, answer, exit_code);
  if (!found) co_return exit_code;
  co_return write_value(options, answer);
}

Task<int> put_key(ClientSession& session) {
  const ClientOptions& options = session.options;
  const Result<std::string> value = value_to_put(options);
  if (!value) co_return report(local_failure(value.error().message), options.json);
  const std::string headers = put_headers(session);
  const std::string target = store_target(options.key);
  HttpRequest request;
  request.method = "PUT";
  request.target = target;
  request.headers = headers;
  request.body = *value;
  HttpAnswer answer;
  int exit_code = 0;
  const bool written = co_await session.succeeds(request, answer, exit_code);
  if (!written) co_return exit_code;
  co_return tell_write(options, answer);
}

Task<int> delete_key(ClientSession& session) {
  const ClientOptions& options = session.options;
  std::string headers = session.headers;
  if (!options.if_match.empty()) add_header(headers, "If-Match", as_etag(options.if_match));
  const std::string target = store_target(options.key);
  HttpRequest request;
  request.method = "DELETE";
  request.target = target;
  request.headers = headers;
  HttpAnswer answer;
  int exit_code = 0;
  const bool removed = co_await session.succeeds(request, answer, exit_code);
  if (!removed) co_return exit_code;
  co_return tell_write(options, answer);
}

}  // namespace armazem::cli
