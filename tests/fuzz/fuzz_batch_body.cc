// The JSON body of POST /batch: whatever comes in, each operation that comes out is one that may be carried out.
#include <cstddef>
#include <cstdint>

#include "core/assert.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "http/batch_body.h"
#include "http/put_body.h"

using namespace armazem;

namespace {

constexpr std::size_t value_bytes_max = 1'000;

void check_problem(const http::Problem& problem) {
  http::Response response;
  http::render(problem, "fuzz", response);
  ARMAZEM_ASSERT(http::is_json(response.body));
}

void check_value(const Value& value) {
  ARMAZEM_ASSERT(value.bytes.size() <= value_bytes_max && !value.content_type.empty());
  ARMAZEM_ASSERT(value.form != ValueForm::json || http::is_json(value.bytes));
  ARMAZEM_ASSERT(value.form != ValueForm::text || is_utf8(value.bytes));
}

void check_operation(const http::BatchOperation& operation) {
  using Kind = http::BatchOperation::Kind;
  const bool has_value = operation.kind == Kind::put || operation.kind == Kind::restore;
  ARMAZEM_ASSERT(operation.key && Key::parse(operation.key->text()));
  if (has_value) check_value(operation.value);
  ARMAZEM_ASSERT(has_value || operation.value == Value{});
  ARMAZEM_ASSERT(operation.ttl_seconds >= 0 && operation.ttl_seconds <= limits::ttl_seconds_max);
  ARMAZEM_ASSERT(operation.kind == Kind::put || operation.ttl_seconds == 0);
  ARMAZEM_ASSERT(operation.condition == Condition{} || operation.kind == Kind::put || operation.kind == Kind::remove);
  ARMAZEM_ASSERT((operation.kind == Kind::restore) == !operation.version.is_nil());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = http::parse_batch_body(text, value_bytes_max);
  if (const auto* problem = std::get_if<http::Problem>(&parsed)) {
    check_problem(*problem);
    return 0;
  }
  const auto& operations = std::get<std::vector<http::BatchOperation>>(parsed);
  ARMAZEM_ASSERT(operations.size() <= limits::batch_operations_max);
  for (const auto& operation : operations) check_operation(operation);
  return 0;
}
