// A value: bytes, their content type, and how they may be shown inside JSON.
#pragma once

#include <cstdint>
#include <string>

namespace armazem {

// Decided once, when the value comes in, so that no read has to look at the bytes again.
enum class ValueForm : std::uint8_t {
  bytes = 0,  // not UTF-8: base64 inside JSON
  text = 1,   // UTF-8: a JSON string
  json = 2,   // a complete JSON text: embedded as it is
};

struct Value {
  std::string bytes;
  std::string content_type;
  ValueForm form = ValueForm::bytes;

  friend bool operator==(const Value&, const Value&) = default;
};

}  // namespace armazem
