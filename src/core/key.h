// A key: 1 to 1,024 bytes of UTF-8 without NUL. The constructor is the only check; whoever holds a Key need not look again.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "core/result.h"

namespace armazem {

class Key {
 public:
  // Fails with invalid_argument and a message that says which rule was broken.
  static Result<Key> parse(std::string text);

  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  // Bytewise, which for UTF-8 is code point order.
  friend std::strong_ordering operator<=>(const Key& a, const Key& b) noexcept { return a.text_.compare(b.text_) <=> 0; }
  friend bool operator==(const Key& a, const Key& b) noexcept = default;

 private:
  explicit Key(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace armazem
