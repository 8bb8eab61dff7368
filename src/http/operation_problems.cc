#include "http/operation_problems.h"

#include "http/percent.h"

namespace armazem::http {

std::string operation_path(const Version& operation, const std::string& key) {
  return "/operations/" + operation.text() + "?key=" + percent_encode_path(key);
}

Problem failed_write(const Error& error, const Version& operation, const std::string& key) {
  Problem problem = problem_of(error);
  if (problem.type == ProblemType::outcome_unknown) problem.operation = operation_path(operation, key);
  return problem;
}

Problem failed_condition(const Condition& condition, const WriteAnswer& answer) {
  const bool create_only = condition.kind == Condition::Kind::if_absent;
  Problem problem{ProblemType::precondition_failed, create_only ? "the key exists already"
                  : answer.version.is_nil()                     ? "the key does not exist"
                                                                : "the key holds another version"};
  problem.current_etag = answer.version.is_nil() ? std::string() : "\"" + answer.version.text() + "\"";
  return problem;
}

Problem nothing_deleted() { return {ProblemType::not_found, "no value is stored under this key; nothing was deleted"}; }

Problem nothing_stored() { return {ProblemType::not_found, "no value is stored under this key"}; }

Problem respond_async_conditional() {
  return {ProblemType::respond_async_conditional,
          "the outcome of a condition is only known when the write is done; drop respond-async"};
}

}  // namespace armazem::http
