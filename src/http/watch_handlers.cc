#include "http/watch_handlers.h"

#include <charconv>
#include <utility>

#include "http/access.h"
#include "http/entry_json.h"
#include "core/limits.h"
#include "http/json_text.h"
#include "http/percent.h"
#include "http/read_answer.h"

namespace armazem::http {
namespace {

constexpr std::size_t log_id_size = 16;
constexpr std::string_view reconnect_after = "retry: 1000\n";  // milliseconds

void append_id(std::string& out, std::string_view log_id, std::uint64_t position) {
  out.append("id: ").append(log_id).append("-").append(std::to_string(position)).append("\n");
}

// An id without an event: the watcher takes note of it, and nothing is dispatched.
void append_mark(std::string& out, std::string_view log_id, std::uint64_t position, std::string_view comment) {
  append_id(out, log_id, position);
  out.append(": ").append(comment).append("\n\n");
}

void append_reset(std::string& out, std::string_view log_id, std::uint64_t position) {
  out.append("event: reset\n");
  append_id(out, log_id, position);
  out.append("data: {\"reason\":\"changes were lost; read the keys again\"}\n\n");
}

class WatchStream final : public BodyStream {
 public:
  WatchStream(ChangeHub& hub, ChangeFilter filter, Identity identity, std::string log_id, std::uint64_t after,
              std::string opening)
      : identity_(std::move(identity)), watched_(filter.text), watch_(hub, std::move(filter), after),
        log_id_(std::move(log_id)), opening_(std::move(opening)) {}

  Task<Result<std::string>> next() override {
    if (!opening_.empty()) return Task<Result<std::string>>(Result<std::string>(std::exchange(opening_, {})));
    return wait();
  }

  void stop() noexcept override { watch_.stop(); }

 private:
  Task<Result<std::string>> wait() {
    Watch::News news = co_await watch_.next();
    // The key may have been revoked meanwhile, or may do less: the end is proper, and coming back is answered 401 or 403.
    if (!still_allowed(identity_, Right::read, watched_)) co_return std::string();
    std::string text = std::move(news.text);
    if (news.kind == Watch::News::Kind::heartbeat) append_mark(text, log_id_, watch_.position(), "nothing new");
    if (news.kind == Watch::News::Kind::lost) append_reset(text, log_id_, watch_.position());
    co_return text;
  }

  const Identity identity_;
  const std::string watched_;
  Watch watch_;
  const std::string log_id_;
  std::string opening_;
};

Problem bad_query() {
  return {ProblemType::query_invalid,
          "a watch understands ?prefix= or ?key=, and ?last_event_id= where no header can be sent; percent-encoded"};
}

std::optional<Problem> parse_event_id(std::string_view id, WatchRequest& into) {
  const std::string_view digits = id.substr(std::min(id.size(), log_id_size + 1));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into.position);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || id[log_id_size] != '-') {
    return Problem{ProblemType::query_invalid, "the last event id is none of a watch of this server; leave it out to begin anew"};
  }
  into.log_id = id.substr(0, log_id_size);
  return std::nullopt;
}

}  // namespace

std::optional<Problem> parse_watch(std::string_view query, std::optional<std::string_view> last_event_id,
                                   WatchRequest& into) {
  bool filtered = false;
  bool resumed = last_event_id.has_value();
  if (resumed) {
    if (auto problem = parse_event_id(*last_event_id, into)) return problem;
  }
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const auto equals = parameter.find('=');
    if (equals == parameter.npos) return bad_query();
    const std::string_view name = parameter.substr(0, equals);
    auto value = percent_decode(parameter.substr(equals + 1));
    if (!value) return Problem{ProblemType::percent_encoding_invalid, "a '%' in the query is not followed by two hex digits"};
    const bool by_key = name == "key";
    if (name == "last_event_id") {
      // What EventSource sends when it comes back is newer than what its address says.
      if (resumed) continue;
      resumed = true;
      if (auto problem = parse_event_id(*value, into)) return problem;
      continue;
    }
    if (filtered || (!by_key && name != "prefix")) return bad_query();
    filtered = true;
    if (by_key) {
      const Result<Key> key = Key::parse(*value);
      if (!key) return Problem{ProblemType::key_invalid, key.error().message};
    } else if (value->size() > limits::key_bytes_max) {
      return Problem{ProblemType::key_invalid, "no key is as long as this prefix"};
    }
    into.filter = {by_key ? ChangeFilter::By::key : ChangeFilter::By::prefix, std::move(*value)};
  }
  return std::nullopt;
}

std::string change_event(std::string_view log_id, const Change& change) {
  std::string text = change.removed() ? "event: delete\n" : "event: put\n";
  append_id(text, log_id, change.position);
  text.append("data: ");
  if (change.removed()) {
    text.append("{\"key\":");
    append_json_string(text, change.key.text());
    text.append(",\"version\":\"").append(change.version.text()).append("\"}");
  } else {
    const ChangedValue& value = *change.value;
    Record record;
    record.version = change.version;
    record.expires_at_ms = value.expires_at_ms;
    record.value.content_type = value.content_type;
    record.value.form = value.form;
    if (value.bytes) record.value.bytes = *value.bytes;
    append_entry(text, change.key.text(), record, value.size, value.bytes ? EntryValue::readable : EntryValue::left_out);
  }
  text.append("\n\n");
  return text;
}

Task<Done> WatchHandlers::handle(Request& request, Response& response) {
  WatchRequest asked;
  if (auto problem = parse_watch(request.query, request.head.header(Header::last_event_id), asked)) {
    render(*problem, request_id_or_new(request.head), response);
    co_return Done{};
  }
  if (auto problem = check_access(request, Right::read, asked.filter.text)) {
    render(*problem, request_id_or_new(request.head), response);
    co_return Done{};
  }
  const Result<ChangeLogState> log = co_await hub_.state();
  if (!log) {
    render(problem_of(log.error()), request_id_or_new(request.head), response);
    co_return Done{};
  }
  std::uint64_t after = log->newest;
  std::string opening(reconnect_after);
  if (asked.log_id == log->id) {
    after = asked.position;
    append_mark(opening, log->id, after, "going on");
  } else if (asked.log_id.empty()) {
    append_mark(opening, log->id, after, "watching");
  } else {
    append_reset(opening, log->id, after);
  }
  // The last: NGINX would gather events.
  response.headers.append("Content-Type: text/event-stream\r\nCache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
  echo_request_id(request.head, response);
  response.stream =
      std::make_unique<WatchStream>(hub_, std::move(asked.filter), request.identity, log->id, after, std::move(opening));
  co_return Done{};
}

}  // namespace armazem::http
