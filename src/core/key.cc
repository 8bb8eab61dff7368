#include "core/key.h"

#include "core/limits.h"
#include "core/utf8.h"

namespace armazem {

Result<Key> Key::parse(std::string text) {
  if (text.empty()) return fail(ErrorCode::invalid_argument, "the key is empty; it must have 1 to 1024 bytes");
  if (text.size() > limits::key_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                "the key has " + std::to_string(text.size()) + " bytes; at most 1024 are allowed");
  }
  if (text.find('\0') != std::string::npos) return fail(ErrorCode::invalid_argument, "the key contains a NUL byte");
  if (!is_utf8(text)) return fail(ErrorCode::invalid_argument, "the key is not valid UTF-8");
  return Key(std::move(text));
}

}  // namespace armazem
