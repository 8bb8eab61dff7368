#include "http/batch_handlers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/limits.h"
#include "http/access.h"
#include "http/batch_body.h"
#include "http/batch_results.h"
#include "http/operation_problems.h"
#include "http/read_answer.h"

namespace armazem::http {
namespace {

using Kind = BatchOperation::Kind;
using Places = std::vector<std::size_t>;  // of operations in the batch

// Reads under way at a time: they bound how much more than `batch_answer_bytes_max` an answer can become.
constexpr std::size_t reads_at_once = 16;

Problem not_tried() {
  return {ProblemType::overloaded, "an earlier operation of this batch on the same key failed; this one was not tried"};
}

Problem answer_full() {
  Problem problem{ProblemType::batch_too_large, "the results before this one are as large as an answer may be; ask for it again"};
  problem.limit = limits::batch_answer_bytes_max;
  return problem;
}

}  // namespace

// One batch on its way. Its coroutines point into it.
class BatchHandlers::Run {
 public:
  Run(BatchHandlers& handlers, const Request& request, std::vector<BatchOperation> operations)
      : handlers_(handlers), request_(request), frame_{request_id_or_new(request.head)}, operations_(std::move(operations)),
        results_(operations_.size()), deadline_(Deadline::after(request.begun, handlers.options_.read_timeout)) {}

  Task<void> run() {
    Executor& home = co_await this_executor();
    TaskScope writes(home);
    for (const auto& [key, places] : writes_by_key()) writes.spawn(write_in_order(places));
    co_await writes.join();
    co_await read_all(home);
  }

  std::string take_results() {
    std::string out = "{\"results\":[";
    for (std::string& result : results_) {
      if (&result != &results_.front()) out.push_back(',');
      out.append(std::exchange(result, {}));
    }
    return out.append("]}\n");
  }

 private:
  std::map<std::string_view, Places> writes_by_key() const {
    std::map<std::string_view, Places> places;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (operations_[i].kind != Kind::get) places[operations_[i].key->text()].push_back(i);
    }
    return places;
  }

  // Each waits for the one before it, so no re-stamp can turn the order around.
  Task<void> write_in_order(Places places) {
    bool failed = false;
    bool pending = false;
    for (const std::size_t place : places) {
      const BatchOperation& operation = operations_[place];
      std::optional<Problem> problem = check(operation);
      if (!problem && failed) problem = not_tried();
      if (problem) {
        results_[place] = problem_result(frame_, operation.key->text(), *problem);
      } else if (operation.kind == Kind::restore) {
        failed = !co_await restore(place);
      } else {
        WriteRequest write = make_write(place, pending);
        const WriteResult result = co_await handlers_.writer_.write(std::move(write));
        results_[place] = write_result(frame_, operation, result);
        failed = !result.answer;
        pending = pending || (result.answer && result.answer->kind == WriteAnswer::Kind::accepted);
        remember(operation, result);
      }
    }
  }

  [[nodiscard]] std::optional<Problem> check_right(const BatchOperation& operation) const {
    const std::string& key = operation.key->text();
    switch (operation.kind) {
      case Kind::get: return check_access(request_, Right::read, key);
      case Kind::put: return check_access(request_, Right::write, key);
      case Kind::remove: return check_access(request_, Right::remove, key);
      case Kind::restore: return check_access(request_, Right::admin, {});
    }
    return Problem{ProblemType::internal, "unknown operation"};
  }

  [[nodiscard]] std::optional<Problem> check(const BatchOperation& operation) const {
    if (auto problem = check_right(operation)) return problem;
    const bool conditional = operation.condition.kind != Condition::Kind::none;
    if (conditional && request_.write.respond_async) return respond_async_conditional();
    const Version& seen = operation.kind == Kind::restore ? operation.version : operation.condition.version;
    const Result<void> observed = handlers_.clock_.observe(seen);
    if (!observed) return Problem{ProblemType::version_too_far_ahead, observed.error().message};
    return std::nullopt;
  }

  // After one that is still in the queue nobody waits for the next: it comes after it there, too.
  WriteRequest make_write(std::size_t place, bool pending) {
    BatchOperation& operation = operations_[place];
    WriteRequest write{.kind = operation.kind == Kind::put ? Mutation::Kind::put : Mutation::Kind::remove,
                       .key = *operation.key, .value = std::move(operation.value), .condition = operation.condition,
                       .ttl_seconds = operation.ttl_seconds};
    const bool conditional = operation.condition.kind != Condition::Kind::none;
    write.respond_async = request_.write.respond_async || (pending && !conditional);
    if (request_.write.wait_seconds) write.wait = std::chrono::seconds(*request_.write.wait_seconds);
    write.op = op_of(place, write);
    return write;
  }

  // An Idempotency-Key has no blanks, so no other request has the same text.
  [[nodiscard]] std::optional<OpId> op_of(std::size_t place, const WriteRequest& write) const {
    if (request_.write.idempotency_key.empty()) return std::nullopt;
    const std::string own = std::string(request_.write.idempotency_key) + " " + std::to_string(place);
    return digest_op_id({own, write.kind, write.key.text(), write.value.content_type, write.value.bytes, write.ttl_seconds});
  }

  Task<bool> restore(std::size_t place) {
    BatchOperation& operation = operations_[place];
    Mutation mutation{Mutation::Kind::put, *operation.key,          std::move(operation.value),
                      operation.version,   operation.condition, operation.expires_at_ms};
    const Result<Outcome> outcome = co_await handlers_.writer_.restore(std::move(mutation));
    results_[place] = restore_result(frame_, operation, outcome);
    if (outcome) written_[operation.key->text()] = outcome->current;
    co_return outcome.has_value();
  }

  // What the batch's own reads of the key must show.
  void remember(const BatchOperation& operation, const WriteResult& result) {
    using Answer = WriteAnswer::Kind;
    if (!result.answer || result.answer->kind == Answer::accepted || result.answer->kind == Answer::condition_failed) return;
    written_[operation.key->text()] = result.answer->version;
  }

  Task<void> read_all(Executor& home) {
    Places places;
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      if (operations_[i].kind == Kind::get) places.push_back(i);
    }
    std::size_t bytes = 0;
    for (std::size_t from = 0; from < places.size(); from += reads_at_once) {
      const std::size_t to = std::min(places.size(), from + reads_at_once);
      TaskScope reads(home);
      for (std::size_t i = from; i < to; ++i) reads.spawn(read(places[i], bytes >= limits::batch_answer_bytes_max));
      co_await reads.join();
      for (std::size_t i = from; i < to; ++i) bytes += results_[places[i]].size();
      co_await yield_now();
    }
  }

  Task<void> read(std::size_t place, bool full) {
    const Key& key = *operations_[place].key;
    std::optional<Problem> problem = check_right(operations_[place]);
    if (!problem && full) problem = answer_full();
    if (problem) {
      results_[place] = problem_result(frame_, key.text(), *problem);
      co_return;
    }
    const auto written = written_.find(key.text());
    const ReadRequest how{request_.read.strong, written == written_.end() ? Version() : written->second};
    const Result<ReadAnswer> found = co_await handlers_.reader_.read(key, how, deadline_);
    results_[place] = read_result(frame_, key.text(), found);
  }

  BatchHandlers& handlers_;
  const Request& request_;
  const BatchFrame frame_;
  std::vector<BatchOperation> operations_;
  std::vector<std::string> results_;
  std::map<std::string_view, Version> written_;  // by keys of `operations_`
  const Deadline deadline_;
};

Task<Done> BatchHandlers::handle(Request& request, Response& response) {
  std::variant<std::vector<BatchOperation>, Problem> parsed = parse_batch_body(request.body, options_.value_bytes_max);
  if (const auto* problem = std::get_if<Problem>(&parsed)) {
    render(*problem, request_id_or_new(request.head), response);
    co_return Done{};
  }
  request.body = std::string();
  const auto& operations = std::get<std::vector<BatchOperation>>(parsed);
  const auto is_restore = [](const BatchOperation& operation) { return operation.kind == Kind::restore; };
  if (std::ranges::any_of(operations, is_restore) && still_allowed(request.identity, Right::admin, {})) record_access(request, "restore");
  Run run(*this, request, std::get<std::vector<BatchOperation>>(std::move(parsed)));
  co_await run.run();
  response.headers.append("Content-Type: application/json\r\nCache-Control: no-store\r\n");
  echo_request_id(request.head, response);
  response.body = run.take_results();
  co_return Done{};
}

}  // namespace armazem::http
