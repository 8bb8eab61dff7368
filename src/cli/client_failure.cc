#include "cli/client_failure.h"

#include <boost/json.hpp>
#include <cstdio>

#include "cli/client_options.h"
#include "cli/terminal.h"

namespace armazem::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view urn = "urn:armazem:problem:";
constexpr std::size_t shown_bytes_max = 200;  // of an answer that is no problem: a proxy's page, perhaps

struct Said {
  std::string slug;
  std::string detail;
  std::string request_id;
  std::string current;  // the current ETag, of a 412
};

std::string member(const json::object& object, std::string_view name) {
  const json::value* const found = object.if_contains(name);
  const json::string* const text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

// What the problem says; nothing when the answer is none of ours.
Said read_problem(const HttpAnswer& answer, std::string& problem) {
  Said said;
  boost::system::error_code ec;
  const json::value parsed = json::parse(answer.body, ec);
  if (ec || !parsed.is_object()) return said;
  const json::object& object = parsed.get_object();
  said.slug = member(object, "type");
  if (said.slug.starts_with(urn)) said.slug.erase(0, urn.size());
  said.detail = member(object, "detail");
  if (said.detail.empty()) said.detail = member(object, "title");
  said.request_id = member(object, "request_id");
  said.current = member(object, "current_etag");
  if (!said.slug.empty()) problem = json::serialize(parsed);
  return said;
}

int exit_code_of(int status, const Said& said) {
  if (status == 404 && said.slug == "not-found") return client_exit::not_found;
  if (status == 412 || status == 304) return client_exit::condition_failed;
  // Too many requests pass by themselves, as a server that is away does.
  if (status >= 500 || status == 408 || status == 429) return client_exit::unavailable;
  return client_exit::refused;
}

std::string advice(const HttpAnswer& answer, const Said& said) {
  const auto after = answer.header("Retry-After");
  if (after) return "; try again in " + std::string(*after) + " s";
  if (answer.status == 401) {
    return "; give a key with --api-key-file or in " + std::string(api_key_variable);
  }
  if (answer.status == 412 && !said.current.empty()) return "; its version is " + said.current;
  if (answer.status == 504) return "; the write may or may not have happened";
  return {};
}

std::string problem_with(std::string_view detail) {
  json::object object;
  object["detail"] = detail;
  return json::serialize(object);
}

}  // namespace

Failure failure_of(const HttpAnswer& answer) {
  Failure failure;
  Said said = read_problem(answer, failure.problem);
  failure.exit_code = exit_code_of(answer.status, said);
  if (said.slug.empty()) {
    said.detail = answer.status == 304 ? "the version is still the one that was given"
                                       : "the answer is not one of Armazém's: " +
                                             printable(std::string_view(answer.body).substr(0, shown_bytes_max));
    failure.problem = problem_with(said.detail);
  }
  std::string about = std::to_string(answer.status);
  if (!said.slug.empty()) about += " " + said.slug;
  if (!said.request_id.empty()) about += ", request " + said.request_id;
  failure.message = printable(said.detail) + printable(advice(answer, said)) + " (" + printable(about) + ")";
  return failure;
}

Failure failure_of(const Error& error, std::string_view url) {
  Failure failure;
  failure.exit_code = error.code == ErrorCode::invalid_argument ? client_exit::usage : client_exit::unavailable;
  failure.message = std::string(url) + ": " + error.message;
  if (error.code == ErrorCode::unavailable) failure.message += "; is it running? --url or ARMAZEM_URL says where";
  if (error.code == ErrorCode::outcome_unknown) {
    failure.message += "; a write may or may not have happened, --timeout says how long to wait";
  }
  failure.problem = problem_with(failure.message);
  return failure;
}

Failure local_failure(std::string message) {
  Failure failure{client_exit::local_data, std::move(message), {}};
  failure.problem = problem_with(failure.message);
  return failure;
}

int report(const Failure& failure, bool json) {
  if (json) std::printf("{\"problem\":%s}\n", failure.problem.c_str());
  const Paint paint(stderr);
  std::fprintf(stderr, "%s %s\n", paint.red("armazem:").c_str(), failure.message.c_str());
  return failure.exit_code;
}

}  // namespace armazem::cli
