#include "http/store_handlers.h"

#include <algorithm>
#include <utility>

#include "http/access.h"
#include "http/json_text.h"
#include "http/percent.h"
#include "http/put_body.h"
#include "http/read_answer.h"
#include "http/operation_problems.h"

namespace armazem::http {
namespace {

using Kind = WriteAnswer::Kind;

std::optional<OpId> op_of(const Request& request, const WriteRequest& write) {
  if (request.write.idempotency_key.empty()) return std::nullopt;
  return digest_op_id({request.write.idempotency_key, write.kind, write.key.text(), write.value.content_type,
                       write.value.bytes, write.ttl_seconds});
}

Problem too_large(std::size_t limit, std::size_t size) {
  Problem problem{ProblemType::value_too_large, "the value has " + std::to_string(size) + " bytes; at most " +
                                                    std::to_string(limit) + " are allowed"};
  problem.limit = limit;
  problem.size = size;
  return problem;
}

void add_version(Response& response, const Version& version) { response.add_header("Armazem-Version", version.text()); }

void answer_put(const WriteAnswer& answer, const std::string& key, Response& response) {
  response.status = answer.kind == Kind::created ? 201 : 200;
  response.add_header("Content-Type", "application/json");
  add_etag(response, answer.version);
  add_version(response, answer.version);
  if (answer.kind == Kind::created) response.add_header("Location", "/store/" + percent_encode_path(key));
  response.body.append("{\"key\":");
  append_json_string(response.body, key);
  response.body.append(",\"version\":\"").append(answer.version.text()).append("\"}\n");
}

void answer_delete(const WriteAnswer& answer, std::string_view request_id, Response& response) {
  if (answer.kind == Kind::deleted) {
    response.status = 204;
  } else {
    render(nothing_deleted(), request_id, response);
  }
  add_version(response, answer.version);
}

// Durable in the queue: the location tells what becomes of it.
void answer_accepted(const WriteAnswer& answer, const std::string& key, Response& response) {
  response.status = 202;
  response.add_header("Content-Type", "application/json");
  add_version(response, answer.version);
  response.add_header("Location", operation_path(answer.version, key));
  response.body.append("{\"key\":");
  append_json_string(response.body, key);
  response.body.append(",\"version\":\"").append(answer.version.text()).append("\",\"status\":\"pending\"}\n");
}

void answer_write(const Request& request, const std::string& key, const WriteResult& result, Response& response) {
  const auto refuse = [&](const Problem& problem) { render(problem, request_id_or_new(request.head), response); };
  const Result<WriteAnswer>& answer = result.answer;
  if (!answer) return refuse(failed_write(answer.error(), result.operation, key));
  switch (answer->kind) {
    case Kind::created:
    case Kind::replaced:
      answer_put(*answer, key, response);
      return echo_request_id(request.head, response);
    case Kind::deleted:
      answer_delete(*answer, {}, response);
      return echo_request_id(request.head, response);
    case Kind::nothing_to_delete: return answer_delete(*answer, request_id_or_new(request.head), response);
    case Kind::accepted:
      answer_accepted(*answer, key, response);
      return echo_request_id(request.head, response);
    case Kind::condition_failed: return refuse(failed_condition(request.write.condition, *answer));
  }
}

}  // namespace

Task<Done> StoreHandlers::read(Request& request, Response& response) {
  const Deadline deadline = Deadline::after(request.begun, options_.read_timeout);
  Task<Result<ReadAnswer>> found = reader_.read(*request.key, {request.read.strong, request.read.at_least}, deadline);
  if (!found.ready()) return read_later(std::move(found), request, response);
  answer_read(request, found.take_ready(), response);
  return Task<Done>(Done{});
}

Task<Done> StoreHandlers::read_later(Task<Result<ReadAnswer>> pending, Request& request, Response& response) {
  Result<ReadAnswer> found = co_await std::move(pending);
  answer_read(request, std::move(found), response);
  co_return Done{};
}

Task<Done> StoreHandlers::write(Request& request, Response& response) {
  std::variant<WriteRequest, Problem> made = make_put(request);
  if (const auto* problem = std::get_if<Problem>(&made)) {
    render(*problem, request_id_or_new(request.head), response);
    co_return Done{};
  }
  WriteRequest write = std::get<WriteRequest>(std::move(made));
  write.op = op_of(request, write);
  const std::string key = write.key.text();
  write.respond_async = request.write.respond_async;
  if (request.write.wait_seconds) write.wait = std::chrono::seconds(*request.write.wait_seconds);
  const WriteResult result = co_await writer_.write(std::move(write));
  answer_write(request, key, result, response);
  co_return Done{};
}

std::variant<WriteRequest, Problem> StoreHandlers::make_put(Request& request) const {
  if (request.route == Route::store) return make_put_from_json(request);
  WriteRequest write{.kind = Mutation::Kind::remove, .key = std::move(*request.key), .value = {},
                     .condition = request.write.condition};
  if (request.head.method == Method::remove) return write;
  write.kind = Mutation::Kind::put;
  write.ttl_seconds = request.write.ttl_seconds;
  write.value.content_type = request.head.header(Header::content_type).value_or("application/octet-stream");
  write.value.bytes = std::move(request.body);
  write.value.form = form_of(write.value.bytes, write.value.content_type);
  return write;
}

std::variant<WriteRequest, Problem> StoreHandlers::make_put_from_json(Request& request) const {
  std::variant<PutBody, Problem> parsed = parse_put_body(request.body);
  if (auto* problem = std::get_if<Problem>(&parsed)) return std::move(*problem);
  PutBody& body = std::get<PutBody>(parsed);
  if (body.value.bytes.size() > options_.value_bytes_max) return too_large(options_.value_bytes_max, body.value.bytes.size());
  const std::size_t key_size = body.key.size();
  Result<Key> key = Key::parse(std::move(body.key));
  if (!key) {
    Problem problem{ProblemType::key_invalid, key.error().message};
    if (key_size > limits::key_bytes_max) {
      problem.limit = limits::key_bytes_max;
      problem.size = key_size;
    }
    return problem;
  }
  if (auto problem = check_access(request, Right::write, key->text())) return std::move(*problem);
  if (body.ttl_seconds && request.write.ttl_seconds != 0) {
    return Problem{ProblemType::ttl_invalid, "the time to live stands both in the body and in Armazem-TTL; give it once"};
  }
  return WriteRequest{.kind = Mutation::Kind::put, .key = std::move(*key), .value = std::move(body.value),
                      .condition = request.write.condition,
                      .ttl_seconds = body.ttl_seconds.value_or(request.write.ttl_seconds)};
}

}  // namespace armazem::http
