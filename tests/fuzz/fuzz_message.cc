// Bodies from the queue: nothing but an error or whole content comes out, and content goes back to the very same bytes.
//
// A random checksum is never right, so each input is tried as it is and once more under the checksum that it needs.
#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/crc32c.h"
#include "adapters/message_codec.h"
#include "core/assert.h"

using namespace armazem;

namespace {

void try_body(std::string_view body) {
  const auto mutations = decode_message(body);
  const auto replies = decode_replies(body);
  ARMAZEM_ASSERT(!mutations || !replies);
  if (mutations) {
    ARMAZEM_ASSERT(encode_message(*mutations) == body);
  } else {
    ARMAZEM_ASSERT(mutations.error().code == ErrorCode::data_damaged);
  }
  if (replies) {
    ARMAZEM_ASSERT(encode_replies(*replies) == body);
    ARMAZEM_ASSERT(decode_replies(encode_replies(*replies)).value() == *replies);
  } else {
    ARMAZEM_ASSERT(replies.error().code == ErrorCode::data_damaged);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  try_body(body);
  if (body.size() < 6) return 0;
  const std::uint32_t checksum = crc32c({std::string_view(body).substr(0, 2), std::string_view(body).substr(6)});
  for (std::size_t i = 0; i < 4; ++i) body[2 + i] = static_cast<char>(checksum >> (24 - 8 * i));
  try_body(body);
  return 0;
}
