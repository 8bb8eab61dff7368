// The results of a batch, each as one JSON object: {"status":…,"key":…} with what belongs to the status.
#pragma once

#include <string>
#include <string_view>

#include "http/batch_body.h"
#include "http/problem.h"
#include "service/reader.h"
#include "service/writer.h"

namespace armazem::http {

// What every result of one batch needs besides its own answer.
struct BatchFrame {
  std::string request_id;  // in every problem of the batch
};

[[nodiscard]] std::string problem_result(const BatchFrame& frame, const std::string& key, const Problem& problem);
[[nodiscard]] std::string write_result(const BatchFrame& frame, const BatchOperation& operation, const WriteResult& result);
[[nodiscard]] std::string restore_result(const BatchFrame& frame, const BatchOperation& operation, const Result<Outcome>& outcome);
[[nodiscard]] std::string read_result(const BatchFrame& frame, const std::string& key, const Result<ReadAnswer>& found);

}  // namespace armazem::http
