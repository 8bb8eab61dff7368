#include "cli/json_members.h"
#include "cli/query.h"
#include "cli/transfer_commands.h"
#include "cli/transfer_file.h"
#include "cli/transfer_progress.h"
#include "core/list_cursor.h"

namespace armazem::cli {
namespace {

constexpr int tries_max = 10;

Result<std::string> key_of(std::string_view line) {
  const auto members = split_members(line);
  const auto found = members ? find_member(*members, "key") : std::nullopt;
  auto key = found ? string_of(*found) : std::nullopt;
  if (key) return std::move(*key);
  return fail(ErrorCode::invalid_argument, "a line is no entry: " + std::string(line.substr(0, 100)));
}

// Writes what comes, and knows from where to go on.
class Export {
 public:
  Export(const ClientOptions& options, LineWriter& writer) : options_(options), writer_(writer), progress_(options.quiet) {}

  Result<void> take(std::string_view line) {
    // Entries begin with their key; the two other kinds of lines are short.
    if (line.starts_with("{\"end\":")) {
      ended_ = line.find("\"next\":") == line.npos;
      return {};
    }
    if (line.starts_with("{\"problem\":")) return fail(ErrorCode::unavailable, "the server could not go on");
    Result<std::string> key = key_of(line);
    if (!key) return fail(ErrorCode::internal, key.error().message);
    last_ = std::move(*key);
    Result<void> written = writer_.write(line);
    if (!written) {
      failed_ = written.error();
      return written;
    }
    ++entries_;
    bytes_ += line.size() + 1;
    progress_.show(entries_, bytes_, -1);
    return {};
  }

  void go_on_behind(std::string key) { last_ = std::move(key); }
  [[nodiscard]] std::string target() const {
    std::string target = "/store?values=base64&prefix=" + encode_query(options_.prefix);
    if (last_) target += "&after=" + encode_list_cursor(options_.prefix, *last_);
    return target;
  }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }
  [[nodiscard]] const std::optional<Error>& failed() const noexcept { return failed_; }
  void end() { progress_.end("exported", entries_, bytes_); }
  void clear() { progress_.clear(); }

 private:
  const ClientOptions& options_;
  LineWriter& writer_;
  TransferProgress progress_;
  std::optional<std::string> last_;
  std::optional<Error> failed_;  // to write
  bool ended_ = false;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
};

// One stream, to its end or to whatever cuts it.
Task<Result<void>> read_stream(ClientSession& session, Export& state, HttpAnswer& answer) {
  LineSink sink([&state](std::string_view line) { return state.take(line); });
  const std::string target = state.target();
  const std::string headers = session.headers + "Accept: application/x-ndjson\r\n";
  HttpRequest request;
  request.target = target;
  request.headers = headers;
  request.sink = &sink;
  request.sink_patience = session.options.timeout;
  co_return co_await session.exchange(request, answer);
}

}  // namespace

Task<int> export_entries(ClientSession& session) {
  const ClientOptions& options = session.options;
  Result<LineWriter> writer = LineWriter::open(options.path, options.resume);
  if (!writer) co_return report(local_failure(writer.error().message), options.json);
  Export state(options, *writer);
  if (!writer->last_line().empty()) {
    Result<std::string> key = key_of(writer->last_line());
    const bool fits = key && key->starts_with(options.prefix);
    if (!fits) co_return report(local_failure(options.path + ".partial is no export of this prefix; remove it, or leave out --resume"), options.json);
    state.go_on_behind(std::move(*key));
  }
  std::uint64_t before = 0;
  for (int tries = 0; !state.ended();) {
    HttpAnswer answer;
    const Result<void> done = co_await read_stream(session, state, answer);
    if (state.ended()) break;
    state.clear();
    if (state.failed()) co_return report(local_failure(state.failed()->message), options.json);
    tries = state.entries() > before ? 0 : tries + 1;
    before = state.entries();
    const Failure failure = answer.status >= 300 ? failure_of(answer)
                            : failure_of(done ? Error(ErrorCode::unavailable, "the list was cut") : done.error(), options.url);
    if (failure.exit_code != client_exit::unavailable || tries == tries_max) co_return report(failure, options.json);
    auto pause = session.clock.until(session.sweeper.now() + pause_after(tries));
    (void)co_await pause;
  }
  if (auto complete = writer->complete(); !complete) co_return report(local_failure(complete.error().message), options.json);
  state.end();
  co_return client_exit::done;
}

}  // namespace armazem::cli
