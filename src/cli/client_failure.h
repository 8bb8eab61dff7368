// Why a client command failed, in words that say what to do, and the exit code that goes with it.
#pragma once

#include <string>
#include <string_view>

#include "cli/answer_parser.h"
#include "core/result.h"

namespace armazem::cli {

struct Failure {
  int exit_code = 0;
  std::string message;
  std::string problem;  // JSON: the server's problem (RFC 9457), or one of ours with a detail
};

// An answer that is no success: the detail of its problem, its status, type and request id.
[[nodiscard]] Failure failure_of(const HttpAnswer& answer);
// No answer.
[[nodiscard]] Failure failure_of(const Error& error, std::string_view url);
// A file, or something else on this side.
[[nodiscard]] Failure local_failure(std::string message);

// On standard error in words; with `json`, on standard output as {"problem":{…}} too. Returns the exit code.
int report(const Failure& failure, bool json);

}  // namespace armazem::cli
