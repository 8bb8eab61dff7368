#include "http/batch_results.h"

#include "http/entry_json.h"
#include "http/json_text.h"
#include "http/operation_problems.h"

namespace armazem::http {
namespace {

using Kind = WriteAnswer::Kind;

std::string begin(int status) { return "{\"status\":" + std::to_string(status); }

std::string begin(int status, const std::string& key) {
  std::string out = begin(status);
  out.append(",\"key\":");
  append_json_string(out, key);
  return out;
}

void add_version(std::string& out, const Version& version) { out.append(",\"version\":\"").append(version.text()).append("\""); }

void add_problem(std::string& out, const Problem& problem, const BatchFrame& frame) {
  out.append(",\"problem\":");
  append_problem(out, problem, frame.request_id);
}

std::string simple(int status, const std::string& key, const Version& version) {
  std::string out = begin(status, key);
  add_version(out, version);
  out.push_back('}');
  return out;
}

std::string accepted(const std::string& key, const Version& version) {
  std::string out = begin(202, key);
  add_version(out, version);
  out.append(",\"operation\":");
  append_json_string(out, operation_path(version, key));
  out.push_back('}');
  return out;
}

// As DELETE answers it: a problem, but one with a version.
std::string nothing_to_delete(const BatchFrame& frame, const std::string& key, const Version& version) {
  std::string out = begin(404, key);
  add_version(out, version);
  add_problem(out, nothing_deleted(), frame);
  out.push_back('}');
  return out;
}

}  // namespace

std::string problem_result(const BatchFrame& frame, const std::string& key, const Problem& problem) {
  std::string out = begin(info(problem.type).status, key);
  add_problem(out, problem, frame);
  out.push_back('}');
  return out;
}

std::string write_result(const BatchFrame& frame, const BatchOperation& operation, const WriteResult& result) {
  const std::string& key = operation.key->text();
  const Result<WriteAnswer>& answer = result.answer;
  if (!answer) return problem_result(frame, key, failed_write(answer.error(), result.operation, key));
  switch (answer->kind) {
    case Kind::created: return simple(201, key, answer->version);
    case Kind::replaced: return simple(200, key, answer->version);
    case Kind::deleted: return simple(204, key, answer->version);
    case Kind::nothing_to_delete: return nothing_to_delete(frame, key, answer->version);
    case Kind::accepted: return accepted(key, answer->version);
    case Kind::condition_failed: break;
  }
  return problem_result(frame, key, failed_condition(operation.condition, *answer));
}

std::string restore_result(const BatchFrame& frame, const BatchOperation& operation, const Result<Outcome>& outcome) {
  const std::string& key = operation.key->text();
  if (!outcome) return problem_result(frame, key, failed_write(outcome.error(), operation.version, key));
  if (outcome->verdict == Verdict::refused) {
    return problem_result(frame, key, {ProblemType::internal, "the store can never take this value; nothing was changed"});
  }
  const bool restored = outcome->verdict == Verdict::applied;
  std::string out = begin(restored && outcome->effect == Effect::created ? 201 : 200, key);
  add_version(out, restored ? outcome->version : outcome->current);
  out.append(",\"outcome\":\"").append(restored ? "restored" : "superseded").append("\"}");
  return out;
}

std::string read_result(const BatchFrame& frame, const std::string& key, const Result<ReadAnswer>& found) {
  if (!found) return problem_result(frame, key, problem_of(found.error()));
  if (!found->record) return problem_result(frame, key, nothing_stored());
  const Record& record = *found->record;
  std::string out = begin(200);
  out.push_back(',');
  append_entry_members(out, key, record, record.value.bytes.size(), EntryValue::readable);
  out.push_back('}');
  return out;
}

}  // namespace armazem::http
