// What is said about an operation that was not simply done; the same for a request of its own and for one of a batch.
#pragma once

#include <string>

#include "http/problem.h"
#include "service/writer.h"

namespace armazem::http {

// Where to ask what became of a write.
[[nodiscard]] std::string operation_path(const Version& operation, const std::string& key);

[[nodiscard]] Problem failed_write(const Error& error, const Version& operation, const std::string& key);
[[nodiscard]] Problem failed_condition(const Condition& condition, const WriteAnswer& answer);
[[nodiscard]] Problem nothing_deleted();
[[nodiscard]] Problem nothing_stored();
[[nodiscard]] Problem respond_async_conditional();

}  // namespace armazem::http
