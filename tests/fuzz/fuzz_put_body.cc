// The JSON body of PUT /store: whatever comes in, what is stored can be read again and means the same.
#include <cstddef>
#include <cstdint>

#include "core/assert.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "http/json_text.h"
#include "http/put_body.h"

using namespace armazem;

namespace {

void check_problem(const http::Problem& problem) {
  http::Response response;
  http::render(problem, "fuzz", response);
  ARMAZEM_ASSERT(http::is_json(response.body));
}

// The body that a client would send to store the same again.
std::string written_again(const http::PutBody& body) {
  std::string text = "{\"key\":";
  http::append_json_string(text, body.key);
  text.append(",\"value\":");
  if (body.value.form == ValueForm::json) {
    text.append(body.value.bytes);
  } else {
    http::append_json_string(text, body.value.bytes);
  }
  if (body.ttl_seconds) text.append(",\"ttl\":").append(std::to_string(*body.ttl_seconds));
  return text + "}";
}

void check_body(const http::PutBody& body) {
  ARMAZEM_ASSERT(is_utf8(body.key) && is_utf8(body.value.bytes));
  ARMAZEM_ASSERT(body.value.form == ValueForm::text || body.value.form == ValueForm::json);
  ARMAZEM_ASSERT(body.value.form == ValueForm::text || http::is_json(body.value.bytes));
  ARMAZEM_ASSERT(!body.ttl_seconds || (*body.ttl_seconds >= 1 && *body.ttl_seconds <= limits::ttl_seconds_max));
  const auto again = http::parse_put_body(written_again(body));
  const auto* same = std::get_if<http::PutBody>(&again);
  ARMAZEM_ASSERT(same != nullptr);
  ARMAZEM_ASSERT(same->key == body.key && same->value == body.value && same->ttl_seconds == body.ttl_seconds);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = http::parse_put_body(text);
  if (const auto* problem = std::get_if<http::Problem>(&parsed)) {
    check_problem(*problem);
  } else {
    ARMAZEM_ASSERT(http::is_json(text));
    check_body(std::get<http::PutBody>(parsed));
  }
  return 0;
}
