#include <cerrno>
#include <cstring>

#include "cli/event_stream.h"
#include "cli/json_members.h"
#include "cli/query.h"
#include "cli/stream_commands.h"
#include "cli/terminal.h"

namespace armazem::cli {
namespace {

// Longer than any sensible time between two marks of the server.
constexpr std::chrono::seconds silence_max{60};

class WatchSink final : public BodySink {
 public:
  explicit WatchSink(const ClientOptions& options) : options_(options), paint_(stdout) {}

  Result<void> take(std::string_view piece) override {
    Result<void> used = parser_.feed(piece, [this](const StreamEvent& event) { return show(event); });
    if (std::fflush(stdout) != 0 && used) used = cannot_write();
    return used;
  }
  void begin_anew() { parser_.begin_anew(); }
  [[nodiscard]] const std::string& last_id() const { return parser_.last_id(); }
  [[nodiscard]] bool complete() const { return options_.count && shown_ >= *options_.count; }
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  Result<void> show(const StreamEvent& event) {
    if (complete()) return {};
    ++shown_;
    if (!write_out(options_.json ? as_json(event) : as_line(event))) return cannot_write();
    if (complete()) return fail(ErrorCode::internal, "enough");
    return {};
  }

  static std::string as_json(const StreamEvent& event) {
    std::string line = "{\"event\":\"" + event.type + "\"";
    if (event.data.starts_with('{') && event.data.size() > 2) line.append(",").append(event.data.substr(1));
    else line.append("}");
    return line + "\n";
  }

  [[nodiscard]] std::string as_line(const StreamEvent& event) const {
    if (event.type == "reset") return paint_.red("reset") + "  changes were lost; read the keys again\n";
    const auto members = split_members(event.data);
    if (!members) return event.type + "\n";
    const auto member = [&](std::string_view name) {
      const auto found = find_member(*members, name);
      return found ? string_of(*found).value_or(std::string(*found)) : std::string();
    };
    const std::string kind = event.type == "put" ? paint_.green("put   ") : paint_.red("delete");
    return kind + "  " + member("version") + "  " + printable(member("key")) + "\n";
  }

  Result<void> cannot_write() {
    broken_ = true;
    return fail(ErrorCode::invalid_argument, std::string("cannot write standard output: ") + std::strerror(errno));
  }

  const ClientOptions& options_;
  const Paint paint_;
  EventStreamParser parser_;
  std::uint64_t shown_ = 0;
  bool broken_ = false;
};

}  // namespace

// A connection that breaks is made again, for as long as the command runs: a watch is over when its user says so. What the
// server refuses ends it.
Task<int> watch_keys(ClientSession& session) {
  const ClientOptions& options = session.options;
  WatchSink sink(options);
  const std::string target = options.key.empty() ? "/watch?prefix=" + encode_query(options.prefix) : "/watch?key=" + encode_query(options.key);
  bool opened = false;
  for (int tries = 0;; ++tries) {
    const std::string& last = sink.last_id().empty() ? options.from_event : sink.last_id();
    std::string headers = session.headers + "Accept: text/event-stream\r\n";
    if (!last.empty()) headers += "Last-Event-ID: " + last + "\r\n";
    HttpRequest request;
    request.target = target;
    request.headers = headers;
    request.sink = &sink;
    request.sink_patience = silence_max;
    HttpAnswer answer;
    const std::string before = sink.last_id();
    const Result<void> done = co_await session.exchange(request, answer);
    if (sink.complete()) co_return client_exit::done;
    if (sink.broken()) co_return client_exit::local_data;
    const Failure failure = answer.status >= 300 ? failure_of(answer) : failure_of(done ? Error(ErrorCode::unavailable, "the stream ended") : done.error(), options.url);
    opened = opened || !sink.last_id().empty();
    const bool final = failure.exit_code != client_exit::unavailable || !opened;
    if (final) co_return report(failure, options.json);
    if (tries == 0) std::fputs("armazem: the connection is lost; coming back\n", stderr);
    if (sink.last_id() != before) tries = 0;
    sink.begin_anew();
    auto pause = session.clock.until(session.sweeper.now() + pause_after(tries));
    (void)co_await pause;
  }
}

}  // namespace armazem::cli
