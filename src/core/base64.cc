#include "core/base64.h"

#include <array>
#include <cstdint>

namespace armazem {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xFF;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view alphabet) {
  Digits digits{};
  digits.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return digits;
}
constexpr Digits standard_digits = digits_of(standard);
constexpr Digits url_digits = digits_of(url);

std::uint32_t byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<std::uint8_t>(bytes[at]); }

void append(std::string& out, std::string_view bytes, std::string_view alphabet) {
  const std::size_t whole = bytes.size() / 3 * 3;
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < whole; i += 3) {
    const std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    const std::array<char, 4> text = {alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63],
                                      alphabet[group & 63]};
    out.append(text.data(), text.size());
  }
  const std::size_t rest = bytes.size() - whole;
  if (rest == 0) return;
  const std::uint32_t group = byte_at(bytes, whole) << 16 | (rest == 2 ? byte_at(bytes, whole + 1) << 8 : 0);
  out.push_back(alphabet[group >> 18]);
  out.push_back(alphabet[group >> 12 & 63]);
  if (rest == 2) out.push_back(alphabet[group >> 6 & 63]);
}

// Without padding. One character more than whole groups cannot be; two or three of them are one or two bytes.
std::optional<std::string> decode(std::string_view text, const Digits& digits) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::uint8_t digit = digits[static_cast<std::uint8_t>(c)];
    if (digit == no_digit) return std::nullopt;
    bits = bits << 6 | digit;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>(bits >> held & 0xFF));
  }
  const std::uint32_t left_over = bits & ((std::uint32_t{1} << held) - 1);
  if (left_over != 0) return std::nullopt;
  return out;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  append(out, bytes, standard);
  out.append((3 - bytes.size() % 3) % 3, '=');
}

void append_base64url(std::string& out, std::string_view bytes) { append(out, bytes, url); }

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode(text, standard_digits);
}

std::optional<std::string> decode_base64url(std::string_view text) { return decode(text, url_digits); }

}  // namespace armazem
