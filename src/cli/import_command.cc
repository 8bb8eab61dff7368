#include <boost/json.hpp>

#include <algorithm>

#include "cli/json_members.h"
#include "cli/query.h"
#include "cli/transfer_commands.h"
#include "cli/transfer_file.h"
#include "cli/transfer_progress.h"
#include "core/task_scope.h"

namespace armazem::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t batch_lines_max = 1'000;
constexpr std::size_t batch_bytes_max = std::size_t{4} << 20;
constexpr int senders = 4;
constexpr int tries_max = 12;
constexpr std::uint64_t errors_shown_max = 20;

struct Line {
  std::uint64_t number = 0;  // from 1
  std::string operation;     // JSON
};
using Lines = std::vector<Line>;

// An entry of an export as an operation of a batch: the same members, but for the size, which follows from the value.
Result<std::string> operation_of(std::string_view line) {
  const auto members = split_members(line);
  if (!members) return fail(members.error());
  std::string operation = "{\"op\":\"restore\"";
  bool keyed = false;
  bool versioned = false;
  for (const JsonMember& member : *members) {
    if (member.name == "size") continue;
    keyed = keyed || member.name == "key";
    versioned = versioned || member.name == "version";
    operation.append(",\"").append(member.name).append("\":").append(member.value);
  }
  if (!keyed || !versioned) return fail(ErrorCode::invalid_argument, "an entry has a key and a version");
  return operation.append("}");
}

class Import {
 public:
  Import(ClientSession& session, LineReader& reader) : session_(session), reader_(reader), progress_(session.options.quiet) {}

  Task<int> run() {
    TaskScope scope(session_.loop);
    for (int i = 0; i < senders; ++i) scope.spawn(send_all());
    auto joined = scope.join();
    co_await joined;
    progress_.clear();
    if (failure_) {
      const int code = report(*failure_, session_.options.json);
      fmt::print(stderr, "armazem: what was imported stays; go on with --skip {}, or begin again: nothing is stored twice\n", skippable());
      co_return code;
    }
    progress_.end(session_.options.dry_run ? "would import" : "imported", done_, bytes_);
    if (newer_ > 0 && !session_.options.quiet) fmt::print(stderr, "{} of them are newer where they were imported to, and stayed as they are\n", newer_);
    if (errors_ == 0) co_return client_exit::done;
    fmt::print(stderr, "armazem: {} lines could not be imported\n", errors_);
    co_return client_exit::refused;
  }

 private:
  Task<void> send_all() {
    HttpClient client(session_.loop, session_.sweeper, session_.endpoint);
    while (!failure_) {
      Lines lines = take();
      if (lines.empty()) break;
      const std::uint64_t first = lines.front().number;
      under_way_.push_back(first);
      if (session_.options.dry_run) done_ += lines.size();
      else co_await send(client, std::move(lines));
      if (!failure_) std::erase(under_way_, first);
    }
  }

  Lines take() {
    Lines lines;
    std::size_t bytes = 0;
    while (!ended_ && lines.size() < batch_lines_max && bytes < batch_bytes_max) {
      Result<std::optional<std::string>> line = reader_.next();
      if (!line) {
        failure_ = local_failure(line.error().message);
        return {};
      }
      if (!*line) {
        ended_ = true;
        break;
      }
      ++number_;
      if (number_ <= session_.options.skip || (*line)->empty()) continue;
      Result<std::string> operation = operation_of(**line);
      if (!operation) {
        complain(number_, operation.error().message);
        continue;
      }
      bytes += operation->size();
      bytes_ += (*line)->size() + 1;
      lines.push_back({number_, std::move(*operation)});
    }
    progress_.show(done_, bytes_, reader_.share());
    return lines;
  }

  // Until each line is stored or refused. A restore may be repeated: its version is its own.
  Task<void> send(HttpClient& client, Lines lines) {
    for (int tries = 0; !lines.empty() && !failure_; ++tries) {
      if (tries > 0) {
        auto pause = session_.clock.until(session_.sweeper.now() + pause_after(tries));
        (void)co_await pause;
      }
      std::string body = "{\"operations\":[";
      for (const Line& line : lines) body.append(&line == &lines.front() ? "" : ",").append(line.operation);
      body.append("]}");
      const std::string headers = session_.headers + "Content-Type: application/json\r\nPrefer: wait=30\r\n";
      HttpRequest request;
      request.method = "POST";
      request.target = "/batch";
      request.headers = headers;
      request.body = body;
      HttpAnswer answer;
      const Deadline deadline = Deadline::after(session_.sweeper.now(), session_.options.timeout);
      const Result<void> exchanged = co_await client.exchange(request, deadline, answer);
      if (exchanged && answer.status == 200) {
        lines = sort_out(std::move(lines), answer.body);
        if (!lines.empty() && tries >= tries_max) {
          failure_ = failure_of(Error(ErrorCode::unavailable, "some keys could not be stored, however often they were sent"), session_.options.url);
        }
        continue;
      }
      Failure failure = exchanged ? failure_of(answer) : failure_of(exchanged.error(), session_.options.url);
      const bool one_is_wrong = answer.status == 400 || answer.status == 413;
      if (exchanged && one_is_wrong && lines.size() > 1) {
        Lines rest(std::make_move_iterator(lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2)), std::make_move_iterator(lines.end()));
        lines.resize(lines.size() / 2);
        co_await send(client, std::move(lines));
        co_await send(client, std::move(rest));
        co_return;
      }
      if (exchanged && one_is_wrong) {
        complain(lines.front().number, failure.message);
        co_return;
      }
      if (failure.exit_code != client_exit::unavailable || tries == tries_max) failure_ = std::move(failure);
    }
  }

  // What has to be sent again.
  Lines sort_out(Lines lines, const std::string& body) {
    boost::system::error_code ec;
    const json::value answer = json::parse(body, ec);
    const json::object* const object = ec ? nullptr : answer.if_object();
    const json::value* const member = object != nullptr ? object->if_contains("results") : nullptr;
    const json::array* const results = member != nullptr ? member->if_array() : nullptr;
    if (results == nullptr || results->size() != lines.size()) {
      failure_ = local_failure("the answer of the batch does not fit what was sent");
      return {};
    }
    Lines again;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const json::object& result = (*results)[i].as_object();
      const auto status = result.at("status").to_number<int>();
      if (status < 300) {
        ++done_;
        const json::value* const outcome = result.if_contains("outcome");
        if (outcome != nullptr && *outcome == "superseded") ++newer_;
      } else if (status >= 500 || status == 429) {
        again.push_back(std::move(lines[i]));
      } else {
        const json::value* const problem = result.if_contains("problem");
        complain(lines[i].number, problem != nullptr ? std::string(problem->as_object().at("detail").as_string()) : "refused");
      }
    }
    progress_.show(done_, bytes_, reader_.share());
    return again;
  }

  void complain(std::uint64_t number, std::string_view why) {
    if (++errors_ > errors_shown_max) return;
    progress_.clear();
    fmt::print(stderr, "armazem: line {}: {}\n", number, why);
  }

  // All lines before these are done.
  [[nodiscard]] std::uint64_t skippable() const {
    return under_way_.empty() ? session_.options.skip : std::ranges::min(under_way_) - 1;
  }

  ClientSession& session_;
  LineReader& reader_;
  TransferProgress progress_;
  std::vector<std::uint64_t> under_way_;  // first lines of batches
  std::optional<Failure> failure_;        // ends it all
  bool ended_ = false;
  std::uint64_t number_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t newer_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Task<int> import_entries(ClientSession& session) {
  Result<LineReader> reader = LineReader::open(session.options.path);
  if (!reader) co_return report(local_failure(reader.error().message), session.options.json);
  Import import(session, *reader);
  co_return co_await import.run();
}

}  // namespace armazem::cli
